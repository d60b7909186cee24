#!/bin/sh
# Every check that this change can fail: all of them, or those of the pages where only these changed.
set -eu

changed=$("$(dirname -- "$0")/changed-files.sh")
if [ -n "$changed" ] && ! printf '%s\n' "$changed" | grep -qvE '^docs/.*\.(md|svg|png)$|^[^/]*\.md$'; then
    echo 'Only pages changed.'
    exec ./install.sh --test tests/docs
fi
exec ./install.sh --test
