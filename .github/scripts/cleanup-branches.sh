#!/bin/sh
# Removes the branches below auto-heal/ whose pull request is closed. DRY_RUN=true only names them.
set -eu

repo=repos/$GITHUB_REPOSITORY
owner=${GITHUB_REPOSITORY%/*}

refs=$(gh api --paginate "$repo/git/matching-refs/heads/auto-heal/" --jq '.[].ref')
for ref in $refs; do
    branch=${ref#refs/heads/}
    states=$(gh api "$repo/pulls?state=all&head=$owner:$branch" --jq '[.[].state] | unique | join(" ")')
    case $states in
        closed)
            [ "${DRY_RUN-}" = true ] || gh api -X DELETE "$repo/git/$ref" --silent
            echo "Removed $branch."
            ;;
        '') echo "Kept $branch: it has no pull request." ;;
        *) echo "Kept $branch: its pull request is open." ;;
    esac
done
