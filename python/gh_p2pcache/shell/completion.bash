# Whom gh's own completion asks: the shim, which knows the commands of gh p2pcache, while it is there.
_gh_p2pcache_gh() {
    local shim=${XDG_DATA_HOME:-$HOME/.local/share}/gh-p2pcache/shim/gh
    if [[ -x $shim ]]; then "$shim" "$@"; else command gh "$@"; fi
}

# git's own completion calls this for `git ghapi`.
_git_ghapi() {
    local before=${COMP_LINE%%ghapi*}ghapi first=0
    while [[ ${COMP_WORDS[first]} != ghapi ]]; do ((++first > COMP_CWORD)) && return; done
    local rest=("${COMP_WORDS[@]:first + 1}") to='gh p2pcache api'
    local COMP_WORDS=(gh p2pcache api "${rest[@]}") COMP_LINE=$to${COMP_LINE#"$before"}
    local COMP_POINT=$((COMP_POINT - ${#before} + ${#to})) COMP_CWORD=$((COMP_CWORD - first + 2))
    __start_gh
}
