#!/bin/sh
# Waits until this machine has met a member of its team: wait-for-peers.sh [SECONDS]
set -eu

left=${1:-30}
until [ "$(gh p2pcache status --json | jq '.gateway.peers.members // 0')" -gt 0 ]; do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
        echo 'no member of the team was met' >&2
        exit 1
    fi
    sleep 1
done
