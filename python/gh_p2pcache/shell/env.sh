# gh behind its cache in this shell: the shim first in PATH, and once. For bash, zsh and POSIX sh;
# what `gh p2pcache shellenv` prints and what the line of `gh p2pcache on` reads. It starts nothing.
# shellcheck shell=sh
case ${XDG_DATA_HOME-} in
    /*) _gh_p2pcache_shim=$XDG_DATA_HOME/gh-p2pcache/shim ;;
    *) _gh_p2pcache_shim=${HOME-}/.local/share/gh-p2pcache/shim ;;
esac
if [ -x "$_gh_p2pcache_shim/gh" ]; then
    case $PATH in
        "$_gh_p2pcache_shim":*) ;;
        *)
            PATH=:$PATH:
            while :; do
                case $PATH in
                    *":$_gh_p2pcache_shim:"*)
                        PATH=${PATH%%":$_gh_p2pcache_shim:"*}:${PATH#*":$_gh_p2pcache_shim:"}
                        ;;
                    *) break ;;
                esac
            done
            PATH=$_gh_p2pcache_shim$PATH
            PATH=${PATH%:}
            export PATH
            ;;
    esac
    # Else a bash that has remembered the shim fails when that is gone, where PATH has gh's own.
    # shellcheck disable=SC3044
    [ -z "${BASH_VERSION-}" ] || shopt -s checkhash
fi
unset _gh_p2pcache_shim
