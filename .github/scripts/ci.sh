#!/bin/sh
# Every check that this change can fail: all of them, or those of the pages where only these changed.
set -eu

scripts=$(dirname -- "$0")
changed=$("$scripts/changed-files.sh")
if [ -n "$changed" ] && ! printf '%s\n' "$changed" | grep -qvE '^docs/.*\.(md|svg|png)$|^[^/]*\.md$'; then
    echo 'Only pages changed.'
    # The action's tests know what docs/actions.md has to name.
    exec "$scripts/tests.sh" tests/docs tests/actions/test_bundle.py
fi
exec "$scripts/tests.sh"
