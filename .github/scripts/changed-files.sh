#!/bin/sh
# Prints what a push or a pull request changes, a path a line; nothing where GitHub can't tell.
# Reads EVENT (push, pull_request, …), NUMBER (of the pull request), BEFORE and AFTER (of the push).
set -eu

case $EVENT in
    pull_request)
        gh api --paginate "repos/$GITHUB_REPOSITORY/pulls/$NUMBER/files" --jq '.[].filename'
        ;;
    push)
        # A new branch has no before, and a force push may have lost it.
        gh api "repos/$GITHUB_REPOSITORY/compare/$BEFORE...$AFTER" --jq '.files[].filename' || true
        ;;
esac
