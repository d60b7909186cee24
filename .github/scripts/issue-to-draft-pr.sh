#!/bin/sh
# Makes a branch and a draft pull request for an issue, once. issue-to-draft-pr.sh NUMBER
set -eu

number=$1
repo=repos/$GITHUB_REPOSITORY
branch=auto-heal/issue-$number
base=$(gh api "$repo" --jq .default_branch)
title=$(gh api "$repo/issues/$number" --jq .title)

known=$(gh api "$repo/pulls?state=all&head=${GITHUB_REPOSITORY%/*}:$branch" --jq '.[0].html_url // ""')
if [ -n "$known" ]; then
    echo "There is one already: $known"
    exit
fi

# A run that could not open the pull request has left its branch.
if ! gh api "$repo/git/ref/heads/$branch" --silent 2>/dev/null; then
    # GitHub opens no pull request without a commit, so there is one that changes nothing.
    head=$(gh api "$repo/git/ref/heads/$base" --jq .object.sha)
    tree=$(gh api "$repo/git/commits/$head" --jq .tree.sha)
    sha=$(gh api "$repo/git/commits" -f message="Start on #$number" -f tree="$tree" -f 'parents[]='"$head" --jq .sha)
    gh api "$repo/git/refs" -f ref="refs/heads/$branch" -f sha="$sha" --silent
fi
gh api "$repo/pulls" -f title="$title" -f head="$branch" -f base="$base" -F draft=true \
    -f body="Closes #$number" --jq '"Opened #\(.number)."'
