#!/bin/sh
# Prints what a push or a pull request changes, a path a line, of what is renamed both; nothing where
# GitHub can't tell.
# Reads EVENT (push, pull_request, …), NUMBER (of the pull request), BEFORE and AFTER (of the push).
set -eu

repo=repos/$GITHUB_REPOSITORY
paths='[.filename, .previous_filename // empty] | @tsv'
case $EVENT in
    pull_request) files=$(gh api --paginate "$repo/pulls/$NUMBER/files?per_page=100" --jq ".[] | $paths") ;;
    # A new branch has no before, and a force push may have lost it.
    push) files=$(gh api "$repo/compare/$BEFORE...$AFTER" --jq ".files[] | $paths") ;;
    *) exit ;;
esac || exit 0
# A comparison lists 300 files and does not say that there are more.
[ "$(printf '%s\n' "$files" | wc -l)" -ge 300 ] || printf '%s\n' "$files" | tr '\t' '\n'
