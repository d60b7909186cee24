#!/bin/sh
# Asks for a review of a pull request. request-review.sh NUMBER LOGIN
set -eu

number=$1 reviewer=$2
requested=repos/$GITHUB_REPOSITORY/pulls/$number/requested_reviewers

gh api "$requested" -f 'reviewers[]='"$reviewer" --silent
# Where Copilot is not to be had GitHub says 201 and asks nobody. It is listed by another name.
if gh api "$requested" --jq '.users[].login' | grep -qiF -e "$reviewer" -e copilot; then
    echo "$reviewer was asked for a review of #$number."
else
    echo "::notice::GitHub did not take $reviewer as a reviewer of #$number."
fi
