#!/bin/sh
# Bundles src/ into dist/, from exactly the packages of package-lock.json.
#   build.sh            renews dist/
#   build.sh --check    fails unless dist/ is what src/ makes
set -eu
cd "$(dirname -- "$0")"

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
if [ "${1-}" != --check ]; then
    npm run --silent build
    exit
fi
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
npm run --silent build -- --outfile="$made/index.cjs"
cmp "$made/index.cjs" dist/index.cjs || {
    echo 'dist/ is not what src/ makes: run .github/actions/setup/build.sh' >&2
    exit 1
}
