# `gh p2pcache shellenv`; read by gh-p2pcache.
# shellcheck shell=sh disable=SC2034,SC2154  # the names are shared with gh-p2pcache, which reads this

run_shellenv() {
    case ${1-} in
        -h | --help) help_shellenv ;;
        '') find_shell ;;
        *) shell=$1 ;;
    esac
    [ $# -le 1 ] || wrong_usage 'shellenv takes one of bash, zsh, fish'
    case $shell in
        fish) cat "$extension/python/gh_p2pcache/shell/env.fish" ;;
        bash | zsh | sh) cat "$extension/python/gh_p2pcache/shell/env.sh" ;;
        *) wrong_usage "shellenv takes one of bash, zsh, fish ('$shell' was given)" ;;
    esac
    exit
}

# Between the shell that asks and us are gh and, where /bin/sh forks, an sh or two.
find_shell() {
    shell=${SHELL##*/} process=$PPID
    for _ in 1 2 3 4 5; do
        # pid (name) state parent …
        if { read -r _ name _ process _ <"/proc/$process/stat"; } 2>/dev/null; then
            name=${name#(} name=${name%)}
        else
            name=$(ps -o ppid= -o comm= -p "$process" 2>/dev/null) || break
            # shellcheck disable=SC2086  # in words
            set -- $name
            process=${1-} name=${2-}
        fi
        case ${name##*/} in
            bash | -bash | zsh | -zsh | fish | -fish) shell=${name##*/} && shell=${shell#-} && break ;;
        esac
    done
    case $shell in fish) ;; *) shell='sh' ;; esac
}

help_shellenv() {
    cat <<'END'
Print what puts gh behind the cache in a shell: the shim first in PATH.

USAGE
  gh p2pcache shellenv [bash|zsh|fish]

Without a name it is the shell that asks. In a profile, where gh's own start of
some 50 ms would be felt, use `gh p2pcache on`: its line starts no process.

EXAMPLES
  $ eval "$(gh p2pcache shellenv)"
  $ gh p2pcache shellenv fish | source
END
    exit 0
}
