# Whom gh's own completion asks: the shim, which knows the commands of gh p2pcache, while it is there.
function _gh_p2pcache_gh
    set -l shim $HOME/.local/share/gh-p2pcache/shim/gh
    string match -q '/*' -- "$XDG_DATA_HOME"; and set shim $XDG_DATA_HOME/gh-p2pcache/shim/gh
    if test -x $shim
        $shim $argv
    else
        command gh $argv
    end
end
