#!/bin/sh
# Makes the generated pages anew and offers what differs as a pull request.
set -eu

repo=repos/$GITHUB_REPOSITORY
branch=auto-heal/documentation
base=$(gh api "$repo" --jq .default_branch)

PYTHONPATH=python python3 tests/support/configuration_page.py
changed=$(git diff --name-only -- docs README.md)
if [ -z "$changed" ]; then
    echo 'The pages are current.'
    exit
fi

head=$(gh api "$repo/git/ref/heads/$base" --jq .object.sha)
if gh api "$repo/git/ref/heads/$branch" --silent 2>/dev/null; then
    gh api -X PATCH "$repo/git/refs/heads/$branch" -f sha="$head" -F force=true --silent
else
    gh api "$repo/git/refs" -f ref="refs/heads/$branch" -f sha="$head" --silent
fi
printf '%s\n' "$changed" | while read -r path; do
    before=$(gh api "$repo/contents/$path?ref=$branch" --jq .sha)
    base64 -w 0 "$path" |
        gh api -X PUT "$repo/contents/$path" -f branch="$branch" -f sha="$before" \
            -f message="Renew $path" -F content=@- --silent
    echo "Renewed $path."
done
open=$(gh api "$repo/pulls?head=${GITHUB_REPOSITORY%/*}:$branch" --jq '.[0].number // ""')
[ -n "$open" ] ||
    gh api "$repo/pulls" -f title='Renew the generated pages' -f head="$branch" -f base="$base" \
        -f body='Made by documentation-maintenance.' --jq '"Opened #\(.number)."'
