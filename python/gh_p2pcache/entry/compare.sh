# The settings of this call against the daemon's, name by name; read by gh-p2pcache.
# shellcheck shell=sh disable=SC2034,SC2154  # the names are shared with gh-p2pcache, which reads this

# Name by name. Where a token may go must be the same; of the rest it is said that it does not count.
compare() {
    read -r published || return
    while read -r name source value; do
        case $name in
            CACHE_DEFAULT_TTL) here=$unheeded ;;
            CACHE_DIR) here=${CACHE_DIR:-${IPFS_ACCELERATE_CACHE_DIR-}} ;;
            *) eval "here=\${$name-}" ;;
        esac
        case $name$here in
            CACHE_P2P_SHARED_SECRET?* | [!C]*@*) here=$(salted "${value%%:*}" "$here") ;;
        esac
        [ "$here" != "$value" ] || continue
        [ -n "$here" ] || [ "$source" = env ] || continue
        case $name in
            CACHE_P2P_SHARED_SECRET | CACHE_UPSTREAM | CACHE_TRUST | CACHE_SHARE)
                reason="$name differs from the running daemon's (gh p2pcache restart, or put it in config.toml)"
                return 1
                ;;
            CACHE_*)
                [ -z "$here" ] || say "$name differs from the running daemon's and is not obeyed (gh p2pcache restart)"
                ;;
            *)
                reason="$name differs from the running daemon's (gh p2pcache restart)"
                return 1
                ;;
        esac
    done
    return 0
}

salted() {
    digest=$(printf '%s%s' "$1" "$2" | { sha256sum || shasum -a 256; } 2>/dev/null)
    printf '%s:%s' "$1" "${digest%% *}"
}
