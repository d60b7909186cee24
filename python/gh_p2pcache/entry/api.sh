# `gh p2pcache api` and `git ghapi`; read by gh-p2pcache.
# shellcheck shell=sh disable=SC2034,SC2154  # the names are shared with gh-p2pcache, which reads this

# duration TEXT: `seconds`, or 1
duration() {
    seconds=0 rest=$1
    case $rest in '' | *[!0-9dhms]* | [dhms]* | *[dhms][dhms]*) return 1 ;; esac
    case $rest in *[0-9]) rest=${rest}s ;; esac
    while [ -n "$rest" ]; do
        number=${rest%%[dhms]*}
        rest=${rest#"$number"}
        case $rest in d*) unit=86400 ;; h*) unit=3600 ;; m*) unit=60 ;; *) unit=1 ;; esac
        rest=${rest#?}
        number=${number#"${number%%[!0]*}"}
        seconds=$((seconds + ${number:-0} * unit))
    done
}

# Does this flag of `gh api` take the next argument for its value?
takes_value() {
    case $1 in
        --cache | --field | --header | --hostname | --input | --jq | --method) return 0 ;;
        --preview | --raw-field | --template) return 0 ;;
        --*) return 1 ;;
    esac
    letters=$1
    case $letters in -?*) letters=${letters#-} ;; *) return 1 ;; esac
    while :; do
        case $letters in i*) letters=${letters#i} ;; [FHXfpqt]) return 0 ;; *) return 1 ;; esac
    done
}

newline='
'

# Takes our own flags out, gives the rest to gh, and says what the cache did.
run_api() {
    unset ttl
    mode='' host=${GH_HOST-} unheeded='' token='' count=$#
    while [ "$count" -gt 0 ]; do
        case $1 in
            --ttl)
                [ "$count" -gt 1 ] || wrong_usage '--ttl takes a duration such as 90, 30s, 5m or 1d'
                ttl=$2 count=$((count - 2))
                shift 2
                continue
                ;;
            --ttl=*) ttl=${1#*=} ;;
            --refresh | --offline) mode="$mode ${1#--}" ;;
            --)
                while [ "$count" -gt 0 ]; do
                    set -- "$@" "$1"
                    shift
                    count=$((count - 1))
                done
                continue
                ;;
            *)
                case $1 in
                    --cache | --cache=*) mode="no-stale $mode" ;;
                    --hostname) host=${2-} ;;
                    --hostname=*) host=${1#*=} ;;
                    -h | --help) help_api ;;
                esac
                if takes_value "$1" && [ "$count" -gt 1 ]; then
                    set -- "$@" "$1"
                    shift
                    count=$((count - 1))
                fi
                set -- "$@" "$1"
                ;;
        esac
        shift
        count=$((count - 1))
    done
    find_places
    find_gh
    load start && follow_upgrade
    case $mode in
        *' refresh'*' offline'* | *' offline'*' refresh'*) wrong_usage '--refresh and --offline exclude each other' ;;
        no-stale*offline*) wrong_usage '--cache and --offline exclude each other' ;;
        no-stale*refresh*) mode=no-stale ttl=0 ;;
    esac
    case $mode in *no-stale*) mode=no-stale ;; *offline*) mode=offline ;; *refresh*) mode=refresh ;; esac
    seconds=''
    [ -z "${ttl+given}" ] || duration "$ttl" ||
        wrong_usage "--ttl takes a duration such as 90, 30s, 5m or 1d ('$ttl' was given)"
    ttl=$seconds
    default_ttl=${CACHE_DEFAULT_TTL-}
    if [ -n "$default_ttl" ] && ! duration "$default_ttl"; then
        say "CACHE_DEFAULT_TTL takes a duration such as 90, 30s, 5m or 1d ('$default_ttl' was given); it is left out"
        default_ttl=''
    fi
    default_ttl=${default_ttl:+$seconds}
    choose_profile ttl
    find_login
    if is_disabled; then
        reason='CACHE_DISABLE is set'
        [ "$mode" = offline ] || api_past_the_cache "$@"
    elif is_ready; then
        api_through_the_cache "$@"
    fi
    if [ "$mode" = offline ]; then
        say "$reason: nothing is answered --offline"
        exit 3
    fi
    say "$reason; gh asks GitHub itself"
    api_past_the_cache "$@"
}

api_past_the_cache() {
    give_token
    plain api "$@"
}

api_through_the_cache() {
    export GH_CONFIG_DIR="$overlay"
    find_id
    [ -z "$mode" ] || set -- -H "X-P2PCache-Mode: $mode" "$@"
    [ -z "$ttl" ] || set -- -H "X-P2PCache-TTL: $ttl" "$@"
    [ -z "$default_ttl" ] || set -- -H "X-P2PCache-Default-TTL: $default_ttl" "$@"
    interrupted=''
    trap 'interrupted=yes' INT
    (give_token && exec "$gh" api -H "X-P2PCache-Call: $call" "$@")
    code=$?
    say_what_the_cache_did
    trap - INT
    [ -z "$interrupted" ] || kill -INT $$
    exit "$code"
}

# A name for this call: a pid comes again, and macOS has no /proc.
find_id() {
    { IFS= read -r call </proc/sys/kernel/random/uuid; } 2>/dev/null || call=$$-$(date +%s)
}

# The gateway left `LEVEL TEXT` under the call's name.
say_what_the_cache_did() {
    said=''
    { IFS= read -r said <"$run/calls/$call"; } 2>/dev/null
    [ -n "$said" ] || return 0
    rm -f "$run/calls/$call" >/dev/null 2>&1 &
    log=${CACHE_LOG:-${CI:+info}}
    case $log in
        '' | warning | info) ;;
        *) say "CACHE_LOG takes warning or info ('$log' was given); warning is used" ;;
    esac
    case "$log ${said%% *}" in
        'info info' | *' warning' | *' absent') printf '%s\n' "${said#* }" >&2 ;;
    esac
    case $said in 'absent '*) code=3 ;; esac
}

# Without a login of gh's own for the host: a token by git's credential protocol.
find_login() {
    case $host in
        '' | github.com | *.ghe.com) [ -z "${GH_TOKEN-}${GITHUB_TOKEN-}" ] || return 0 ;;
        *) [ -z "${GH_ENTERPRISE_TOKEN-}${GITHUB_ENTERPRISE_TOKEN-}" ] || return 0 ;;
    esac
    ! has_login || return 0
    answer=$newline$(
        printf 'protocol=https\nhost=%s\n\n' "${host:-github.com}" |
            GIT_TERMINAL_PROMPT=0 GIT_ASKPASS='' GCM_INTERACTIVE=never git credential fill 2>/dev/null
    )
    case $answer in *"${newline}password="*) ;; *) return 0 ;; esac
    token=${answer#*"${newline}password="}
    token=${token%%"$newline"*}
}

# Does hosts.yml name the host? Without one, any: gh takes that for its default.
has_login() {
    [ -r "$real/hosts.yml" ] || return
    while IFS= read -r row; do
        case ${host:-/}$row in /[a-z0-9]*:* | "$host$host":*) return 0 ;; esac
    done <"$real/hosts.yml"
    return 1
}

give_token() {
    [ -n "$token" ] || return 0
    case $host in
        '' | github.com | *.ghe.com) export GH_TOKEN="$token" ;;
        *) export GH_ENTERPRISE_TOKEN="$token" ;;
    esac
}

help_api() {
    cat <<'END'
`gh api` through the cache: the same output, and three flags of its own.

FLAGS OF THE CACHE
      --ttl duration   Take an answer at most so old: 90, 30s, 5m, 2h30m, 1d
      --refresh        Ask GitHub whether the answer is still current
      --offline        Take what is kept and may be given, else exit with 3

EXAMPLES
  $ gh p2pcache api user
  $ gh p2pcache api --ttl 1h repos/{owner}/{repo}/releases --jq '.[].tag_name'
  $ git ghapi --refresh repos/{owner}/{repo}/actions/runs

END
    find_places
    find_gh
    plain api --help
}
