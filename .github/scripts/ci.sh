#!/bin/sh
# Every check that this change can fail: all of them, or those of the pages where only these changed.
set -eu

scripts=$(dirname -- "$0")
changed=$("$scripts/changed-files.sh")
if [ -n "$changed" ] && ! printf '%s\n' "$changed" | grep -qvE '^docs/.*\.(md|svg|png)$|^[^/]*\.md$'; then
    echo 'Only pages changed.'
    exec "$scripts/tests.sh" tests/docs
fi
exec "$scripts/tests.sh"
