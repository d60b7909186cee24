#!/bin/sh
# ./install.sh --test ARG…, away from the job's own cache and token: the tests have theirs.
set -eu

for name in $(env | sed -n 's/^\(CACHE_[A-Z0-9_]*\)=.*/\1/p') GH_TOKEN; do
    unset "$name"
done
case $PATH in */gh-p2pcache/shim:*) PATH=${PATH#*/gh-p2pcache/shim:} ;; esac
exec ./install.sh --test "$@"
