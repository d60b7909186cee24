# A daemon that is to come up, an overlay or an engine that is to be made; read by gh-p2pcache.
# shellcheck shell=sh disable=SC2034,SC2154  # the names are shared with gh-p2pcache, which reads this
# shellcheck disable=SC3013  # -ef, as there

may_start() {
    [ -e "$state/failed" ] && read -r when why <"$state/failed" || return 0
    case $when in '' | 0* | *[!0-9]*) return 0 ;; esac
    left=$((when + 60 - $(date +%s)))
    if [ "$left" -le 0 ] || [ "$left" -gt 60 ]; then return 0; fi
    reason="$why; the next try is in $left s"
    return 1
}

ensure() {
    find_engine || return 1
    reason=$("$engine" -I -S "$supervisor" ensure "$state" "$real" "$host" </dev/null 2>/dev/null) &&
        return
    [ -n "$reason" ] || reason='the engine does not run (gh p2pcache setup)'
    return 1
}

find_engine() {
    engine=${GH_P2PCACHE_ENGINE:-$data/engine/bin/python}
    if ! [ -x "$engine" ]; then
        set_up_in_background
        return 1
    fi
    for supervisor in "${engine%/bin/*}"/lib/python3*/site-packages/gh_p2pcache/supervisor/__main__.py; do
        [ -e "$supervisor" ] && return
    done
    supervisor=$extension/python/gh_p2pcache/supervisor/__main__.py
}

# Once for each commit of the extension: a set-up that failed is the user's to repeat.
set_up_in_background() {
    find_commit "$extension"
    reason='the engine is not set up yet (gh p2pcache setup)'
    tried=$data/set-up-tried
    { read -r before <"$tried"; } 2>/dev/null && [ "$before" = "${commit:--}" ] && return
    mkdir -p "$data" 2>/dev/null && { printf '%s\n' "${commit:--}" >"$tried"; } 2>/dev/null || return
    reason='the engine is being set up in the background (gh p2pcache setup shows how)'
    # Without the caller's other descriptors: a lock of a script's would be held for minutes.
    (trap '' HUP && exec "$extension/install.sh" --background-setup) \
        </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
}

# The commit of a checkout, from git's own files.
find_commit() {
    commit=''
    { read -r commit <"$1/.git/HEAD"; } 2>/dev/null || return
    case $commit in 'ref: '*) ref=${commit#ref: } ;; *) return ;; esac
    { read -r commit <"$1/.git/$ref"; } 2>/dev/null && return
    while read -r commit name; do
        [ "$name" = "$ref" ] && return
    done 2>/dev/null <"$1/.git/packed-refs"
    commit=''
}

# After `gh extension upgrade` the engine follows by itself: that of the checkout it was made from.
follow_upgrade() {
    [ -z "${GH_P2PCACHE_ENGINE-}" ] && [ -e "$data/engine/BUILD" ] &&
        [ "$data/shim/gh" -ef "$extension/gh-p2pcache" ] || return 0
    find_commit "$extension"
    read -r _ built <"$data/engine/BUILD"
    if [ -n "$commit" ] && [ "$commit" != "$built" ]; then
        reason=''
        set_up_in_background
        case $reason in *background*) say 'the engine is being brought up to date in the background' ;; esac
    fi
}
