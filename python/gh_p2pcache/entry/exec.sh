# `gh p2pcache exec`; read by gh-p2pcache.
# shellcheck shell=sh disable=SC2034,SC2154  # the names are shared with gh-p2pcache, which reads this

run_exec() {
    profile=''
    while [ $# -gt 0 ]; do
        case $1 in
            --profile=*) profile=${1#*=} ;;
            --profile) profile=${2-} && { [ $# -lt 2 ] || shift; } ;;
            -h | --help) help_exec ;;
            --) shift && break ;;
            -*) wrong_usage "exec has no flag $1 (gh p2pcache exec --help)" ;;
            *) break ;;
        esac
        shift
    done
    case $profile in '' | ttl | exact) ;; *) wrong_usage '--profile takes ttl or exact' ;; esac
    [ $# -gt 0 ] || wrong_usage 'exec takes a command (gh p2pcache exec --help)'
    find_places
    load start && follow_upgrade
    [ -z "$profile" ] || export CACHE_PROFILE="$profile"
    shim=$data/shim/gh
    if [ -x "$shim" ]; then
        enter_shim
    else
        set_up_in_background
        say "$reason; gh asks GitHub itself"
    fi
    exec "$@"
}

enter_shim() {
    keep_gh_path
    export GH_PATH="$shim"
    case $PATH in "${shim%/gh}":*) ;; *) export PATH="${shim%/gh}:$PATH" ;; esac
}

help_exec() {
    cat <<'END'
Run a command whose every gh goes through the cache.

USAGE
  gh p2pcache exec [--profile ttl|exact] [--] COMMAND [ARGUMENT...]

  exact   (default) REST is confirmed by GitHub at each call, at no cost in
          rate limit where nothing has changed; GraphQL, which can't be, is up
          to 10 s old
  ttl     an answer counts for its time to live without asking

EXAMPLES
  $ gh p2pcache exec -- ./release.sh
  $ gh p2pcache exec --profile ttl -- make dashboard
END
    exit 0
}
