# gh behind its cache in this shell: the shim first in PATH, and once. What `gh p2pcache shellenv
# fish` prints and what the line of `gh p2pcache on` reads. It starts nothing.
begin
    set -l shim $HOME/.local/share/gh-p2pcache/shim
    string match -q '/*' -- "$XDG_DATA_HOME"; and set shim $XDG_DATA_HOME/gh-p2pcache/shim
    if test -x $shim/gh; and test "$PATH[1]" != $shim
        set -l others
        for folder in $PATH
            test $folder = $shim; or set -a others $folder
        end
        set -gx PATH $shim $others
    end
    # git ghapi is completed as gh p2pcache api.
    complete -c git -f -n '__fish_seen_subcommand_from ghapi' \
        -a '(complete -C (string replace -r "^.*?\bghapi\b" "gh p2pcache api" -- (commandline -cp)))'
end
