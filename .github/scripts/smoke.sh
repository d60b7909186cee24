#!/bin/sh
# Asks a handful of things of this repository. smoke.sh ask: whoever answers. smoke.sh verify: fails
# where one of them was not known to the first job, from a member of the team or the Actions cache.
set -eu

repo=repos/$GITHUB_REPOSITORY
for path in issues pulls commits branches contents labels; do
    gh p2pcache api "$repo/$path" --silent
done
[ "$1" = verify ] || exit 0

stats=$(gh p2pcache stats --json)
misses=$(printf '%s' "$stats" | jq '.totals.miss // 0')
saved=$(printf '%s' "$stats" | jq .calls_saved)
members=$(gh p2pcache status --json | jq '.gateway.peers.members // 0')
echo "Of 6 calls $saved cost nothing; $misses were not known. Members met: $members. Store: ${STORE:-none}."
if [ "$misses" -gt 0 ]; then
    echo '::error::The second job did not get what the first one had asked for.'
    exit 1
fi
