#!/bin/sh
# Writes a part of a report on this repository into the job's summary. Nothing of it is printed: in
# what a step prints the runner obeys commands (##[…]), and anybody can give an issue its title.
# report.sh issues|pulls|runs|releases
set -eu

repo=repos/$GITHUB_REPOSITORY
name=$(gh api "$repo" --jq .full_name)
work=$(mktemp)
trap 'rm -f "$work"' EXIT
{
    printf '### %s of %s\n\n' "$1" "$name"
    case $1 in
        issues) gh issue list --limit 20 --json number,title --jq '.[] | "- #\(.number) \(.title)"' ;;
        pulls) gh api "$repo/pulls" --jq '.[] | "- #\(.number) \(.title)"' ;;
        runs) gh api "$repo/actions/runs?per_page=10" --jq '.workflow_runs[] | "- \(.name): \(.conclusion // .status)"' ;;
        releases) gh api "$repo/releases?per_page=10" --jq '.[] | "- \(.tag_name) \(.name)"' ;;
    esac
} >"$work"
cat "$work" >>"$GITHUB_STEP_SUMMARY"
echo "$1: $(grep -c '^- ' "$work" || true)"
