# Whom gh's own completion asks: the shim, which knows the commands of gh p2pcache, while it is there.
_gh_p2pcache_gh() {
    local shim=${XDG_DATA_HOME:-$HOME/.local/share}/gh-p2pcache/shim/gh
    if [[ -x $shim ]]; then "$shim" "$@"; else command gh "$@"; fi
}

# git's completion calls this for `git ghapi`.
_git-ghapi() {
    words=(gh p2pcache api "${(@)words[2,-1]}")
    (( CURRENT += 2 ))
    _gh
}
