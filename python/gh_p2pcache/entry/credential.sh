# `gh p2pcache credential`: git's credential helper; read by gh-p2pcache.
# shellcheck shell=sh disable=SC2034,SC2154  # the names are shared with gh-p2pcache, which reads this

# gh answers, from the real configuration: no token passes through anything of ours but a refused one.
run_credential() {
    case $#${1-} in
        1get | 1store)
            find_places
            find_gh
            plain auth git-credential "$1"
            ;;
        1erase | 1-* | 0*) run_engine credential "$@" ;;
        1*) exit 0 ;; # gitcredentials(7): an operation that a helper doesn't know is ignored
        *) run_engine credential "$@" ;;
    esac
}
