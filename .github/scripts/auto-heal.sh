#!/bin/sh
# Keeps one issue about a branch whose CI fails: opens it with the failing tests, renews it when
# they change, closes it when CI passes. auto-heal.sh RUN
set -eu

label=auto-heal
run=$1
repo=repos/$GITHUB_REPOSITORY
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gh api "$repo/actions/runs/$run" \
    --jq '[.conclusion, .head_branch, .name, .html_url, .head_sha] | @tsv' >"$work/run"
IFS='	' read -r conclusion branch workflow url sha <"$work/run"
title="$workflow fails on $branch"

# The number of the open issue of this title, if there is one.
find_issue() {
    gh api --paginate "$repo/issues?labels=$label&state=open&per_page=100" >"$work/issues"
    jq -rs --arg title "$title" 'add // [] | map(select(.title == $title))[0].number // ""' "$work/issues"
}

# The last lines of each failed job that name a failing test or an error.
collect() {
    gh api --paginate "$repo/actions/runs/$run/jobs" \
        --jq '.jobs[] | select(.conclusion == "failure") | [.id, .name] | @tsv' >"$work/jobs"
    while IFS='	' read -r id name; do
        printf '### %s\n\n' "$name"
        gh api "$repo/actions/jobs/$id/logs" >"$work/log" || echo 'no log' >"$work/log"
        # Without the time that each line starts with, so that the same failure reads the same.
        sed 's/^[0-9T:.-]*Z //' "$work/log" >"$work/plain"
        grep -E '^(FAILED|ERROR) |^failed: |##\[error\]' "$work/plain" >"$work/found" ||
            tail -n 20 "$work/plain" >"$work/found"
        printf '~~~~~~\n'
        head -n 50 "$work/found" | cut -c 1-300 | sed 's/~~~~~~/~ ~/'
        printf '~~~~~~\n\n'
    done <"$work/jobs"
}

issue=$(find_issue)
if [ "$conclusion" = success ]; then
    [ -n "$issue" ] || exit 0
    gh api "$repo/issues/$issue/comments" -f body="Passes again: $url" --silent
    gh api -X PATCH "$repo/issues/$issue" -f state=closed --silent
    echo "Closed #$issue."
    exit
fi

collect >"$work/failures"
{
    printf 'The last failing run: %s (%s)\n\n' "$url" "$sha"
    # GitHub takes 65,536 characters.
    [ "$(wc -c <"$work/failures")" -le 60000 ] || printf 'The run has more than is listed here.\n\n'
    head -c 60000 "$work/failures"
} >"$work/body"
if [ -z "$issue" ]; then
    issue=$(gh api "$repo/issues" -f title="$title" -F body=@"$work/body" -f 'labels[]='"$label" --jq .number)
    echo "Opened #$issue."
else
    gh api -X PATCH "$repo/issues/$issue" -F body=@"$work/body" --silent
    echo "Renewed #$issue."
fi
