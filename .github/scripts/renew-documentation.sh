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

# Whether the branch has these pages already.
is_offered() {
    for path in $changed; do
        there=$(gh api "$repo/contents/$path?ref=$branch" --jq .sha 2>/dev/null) || return
        [ "$there" = "$(git hash-object "$path")" ] || return
    done
}

# point BRANCH SHA
point() {
    if gh api "$repo/git/ref/heads/$1" --silent 2>/dev/null; then
        gh api -X PATCH "$repo/git/refs/heads/$1" -f sha="$2" -F force=true --silent
    else
        gh api "$repo/git/refs" -f ref="refs/heads/$1" -f sha="$2" --silent
    fi
}

if ! is_offered; then
    # On a branch of its own first: GitHub closes a pull request whose branch is as its base.
    head=$(gh api "$repo/git/ref/heads/$base" --jq .object.sha)
    point "$branch-next" "$head"
    for path in $changed; do
        before=$(gh api "$repo/contents/$path?ref=$head" --jq .sha)
        sha=$(base64 -w 0 "$path" |
            gh api -X PUT "$repo/contents/$path" -f branch="$branch-next" -f sha="$before" \
                -f message="Renew $path" -F content=@- --jq .commit.sha)
        echo "Renewed $path."
    done
    point "$branch" "$sha"
    gh api -X DELETE "$repo/git/refs/heads/$branch-next" --silent
fi
open=$(gh api "$repo/pulls?head=${GITHUB_REPOSITORY%/*}:$branch" --jq '.[0].number // ""')
[ -n "$open" ] ||
    gh api "$repo/pulls" -f title='Renew the generated pages' -f head="$branch" -f base="$base" \
        -f body='Made by documentation-maintenance.' --jq '"Opened #\(.number)."'
