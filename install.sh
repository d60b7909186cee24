#!/bin/sh
# Everything a fresh machine needs for gh-p2pcache. Looks for git, gh and Python, then hands over to
# python/gh_p2pcache/installer (standard library only), which does the work.
set -eu

usage() {
    cat <<'END'
Usage: ./install.sh [--prefix DIR]        set up the engine, `gh p2pcache` and
                                          `git ghapi`
       ./install.sh --credential-helper   the same, and git takes gh's token
                                          from `gh p2pcache credential`
       ./install.sh --demo                set up the engine and watch it work,
                                          without an account
       ./install.sh --test [ARG…]         set up a test environment and run every
                                          check; with arguments: only pytest,
                                          with them
       ./install.sh --setup               set up the engine alone
                                          (`gh p2pcache setup`)
       ./install.sh --folders             print the folders that a set-up fills:
                                          the same names, the same content
       ./install.sh --uninstall           take all of it back
       ./install.sh --help

Options:
  --prefix DIR    keep the engine in DIR/gh-p2pcache; where it is otherwise,
                  ${XDG_DATA_HOME:-~/.local/share}/gh-p2pcache, a link leads to it
  --keep-cache    with --uninstall: leave the cache, the state and config.toml

Run it again at any time: what is in order is left alone.

Examples:
  ./install.sh --demo
  ./install.sh && gh p2pcache api user
  ./install.sh --prefix /data/tools
  ./install.sh --test tests/install -k prefix
  ./install.sh --uninstall --keep-cache
END
}

# The user's python3 first; then the numbered ones, newest first. The lock file covers 3.10 to 3.14.
find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        "$candidate" -I -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
            >/dev/null 2>&1 || continue
        if "$candidate" -I -c 'import ensurepip, venv' >/dev/null 2>&1; then
            python=$candidate
            return 0
        fi
        bare_python=$candidate
    done
    return 1
}

gh_is_recent() {
    # "gh version 2.23.0 (2023-02-27 …)"
    version=$(gh --version 2>/dev/null | sed -n 's/^gh version \([0-9]*\.[0-9]*\).*/\1/p')
    [ -n "$version" ] || return 1
    [ "${version%%.*}" -gt 2 ] || { [ "${version%%.*}" -eq 2 ] && [ "${version#*.}" -ge 23 ]; }
}

# need WHAT APT DNF BREW CONDA: one line for what is missing, then how this machine gets it.
need() {
    missing=1
    printf 'install.sh: missing: %s\n' "$1" >&2
    if command -v apt-get >/dev/null 2>&1; then
        printf '    sudo apt-get install %s\n' "$2" >&2
    elif command -v dnf >/dev/null 2>&1; then
        printf '    sudo dnf install %s\n' "$3" >&2
    elif command -v brew >/dev/null 2>&1; then
        printf '    brew install %s\n' "$4" >&2
    elif command -v conda >/dev/null 2>&1; then
        printf '    conda install -c conda-forge %s\n' "$5" >&2
    else
        printf '    Debian, Ubuntu: sudo apt-get install %s\n    Fedora: sudo dnf install %s\n' "$2" "$3" >&2
        printf '    macOS: brew install %s\n    conda: conda install -c conda-forge %s\n' "$4" "$5" >&2
    fi
}

check_git_and_gh() {
    command -v git >/dev/null 2>&1 || need git git git git git
    if ! command -v gh >/dev/null 2>&1; then
        need 'gh 2.23 or newer (https://cli.github.com)' gh gh gh gh
    elif ! gh_is_recent; then
        need "gh 2.23 or newer, this one is ${version:-unreadable} (https://cli.github.com)" gh gh gh gh
    fi
}

check_python() {
    bare_python=
    find_python && return 0
    if [ -n "$bare_python" ]; then
        need "the venv module of $(command -v "$bare_python")" python3-venv python3 python@3.13 python
    else
        need 'Python 3.10 to 3.14' 'python3 python3-venv' python3 python@3.13 python
    fi
}

command=install
prefix=
keep=
helper=
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --demo | --test | --setup | --folders | --background-setup | --uninstall) command=${1#--} ;;
        --credential-helper) helper=--credential-helper ;;
        --keep-cache) keep=--keep-cache ;;
        --prefix=*) prefix=${1#--prefix=} ;;
        --prefix)
            [ $# -ge 2 ] || { echo 'install.sh: --prefix wants a directory' >&2; exit 2; }
            prefix=$2
            shift
            ;;
        *)
            [ "$command" != test ] || break
            printf 'install.sh: unknown option %s (see ./install.sh --help)\n' "$1" >&2
            exit 2
            ;;
    esac
    shift
done

[ -n "${HOME-}" ] || { echo 'install.sh: HOME is not set' >&2; exit 1; }
missing=
[ "$command" != install ] || check_git_and_gh
check_python
[ -z "$missing" ] || exit 1

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# -B: gh keeps this checkout by `git pull`, nothing may be written into it.
exec "$python" -I -B -c '
import sys
sys.path.insert(0, sys.argv[1] + "/python")
from gh_p2pcache.installer.main import main
main(sys.argv[2:])' "$checkout" ${prefix:+"--prefix=$prefix"} ${keep:+"$keep"} ${helper:+"$helper"} -- \
    "$checkout" "$command" "$@" </dev/null
