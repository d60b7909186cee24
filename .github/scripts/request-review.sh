#!/bin/sh
# Asks for a review of a pull request. request-review.sh NUMBER LOGIN
set -eu

number=$1 reviewer=$2
requested=repos/$GITHUB_REPOSITORY/pulls/$number/requested_reviewers

gh api "$requested" -f 'reviewers[]='"$reviewer" --silent
case $reviewer in
    [Cc]opilot | copilot-pull-request-reviewer*) set -- -ixE 'copilot(-pull-request-reviewer\[bot\])?' ;; # by either name
    *) set -- -ixF -e "$reviewer" ;;
esac
# Where Copilot is not to be had GitHub says 201 and asks nobody.
if gh api "$requested" --jq '.users[].login' | grep -q "$@"; then
    echo "$reviewer was asked for a review of #$number."
else
    echo "::notice::GitHub did not take $reviewer as a reviewer of #$number."
fi
