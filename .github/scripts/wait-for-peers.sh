#!/bin/sh
# Waits until this machine has met a member of its team: wait-for-peers.sh [SECONDS]
set -eu

if ! gh p2pcache --version >/dev/null 2>&1; then
    echo 'there is no gh p2pcache here: the cache was not set up' >&2
    exit 1
fi
left=${1:-30}
while :; do
    members=$(gh p2pcache status --json | jq '.gateway.peers.members // 0')
    [ "${members:-0}" -eq 0 ] || exit 0
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
        echo 'no member of the team was met' >&2
        exit 1
    fi
    sleep 1
done
