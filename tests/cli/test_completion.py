"""TAB: our commands and gh's own flags, by the protocol of gh's scripts and in real shells."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.gh import GH
from support.machine import Machine
from support.shells import CHECKOUT, SHELLS, interactive, terminal

GIT_COMPLETION = Path("/usr/share/bash-completion/completions/git")


def complete(machine: Machine, *words: str) -> list[str]:
    said = machine.do("__complete", *words)
    assert said.exit_code == 0, said.output
    return said.stdout.splitlines()


def test_commands_and_their_flags(machine: Machine) -> None:
    assert complete(machine, "verif") == ["verify\tcheck every record", ":4"]
    assert complete(machine, "config", "uns")[0].startswith("unset\t")
    assert complete(machine, "on", "--shell", "z") == ["zsh", ":4"]
    assert complete(machine, "purge", "--rep")[0].startswith("--repo\teverything of one")
    assert "--help" in "".join(complete(machine, "--"))


def test_exec_has_its_flag_and_the_programs_of_path(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, mode in (("gather", 0o755), ("gone", 0o644), ("make", 0o755)):
        (folder / name).touch(mode)
    machine.env["PATH"] = f"{folder}:{tmp_path}/nowhere"

    assert complete(machine, "exec", "--p") == ["--profile\texact or ttl", ":4"]
    assert complete(machine, "exec", "--profile", "t")[0].startswith("ttl\t")
    for before in (["--"], [], ["--profile", "ttl"], ["--profile=ttl", "--"]):
        assert complete(machine, "exec", *before, "g") == ["gather", ":4"]
    assert complete(machine, "exec", "--", "./g") == [":0"]
    assert complete(machine, "exec", "--", "make", "t") == [":0"]


def test_names_of_settings(machine: Machine) -> None:
    for asked in ("get", "set", "unset"):
        assert complete(machine, "config", asked, "max_st")[0].startswith("max_stale\t")
    assert complete(machine, "config", "get", "CACHE_MAX_ST")[0].startswith("CACHE_MAX_STALE\t")


def test_help_has_the_commands(machine: Machine) -> None:
    assert complete(machine, "help", "te")[0].startswith("team\t")
    assert complete(machine, "help", "config", "uns")[0].startswith("unset\t")
    assert complete(machine, "help", "nonsense", "") == [":4"]


@pytest.mark.parametrize("version", sorted(GH))
def test_api_has_gh_s_own_flags_and_ours(machine: Machine, version: str, tmp_path: Path) -> None:
    (tmp_path / "gh").symlink_to(GH[version])
    machine.env["PATH"] = f"{tmp_path}:/usr/bin:/bin"

    flags = [row.partition("\t")[0] for row in complete(machine, "api", "--")]
    after_ours = complete(machine, "api", "--ttl", "5m", "--refresh", "--pagin")

    assert {"--paginate", "--jq", "--ttl", "--refresh", "--offline"} <= set(flags)
    assert after_ours[0].startswith("--paginate\t")
    assert complete(machine, "api", "--input", "") == [":0"]
    assert complete(machine, "api", "--ttl", "") == [":4"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("version", sorted(GH))
def test_the_script_is_gh_s_own_with_ours_in_it(
    machine: Machine, shell: str, version: str, tmp_path: Path
) -> None:
    (tmp_path / "gh").symlink_to(GH[version])
    own = subprocess.run(
        [GH[version], "completion", "-s", shell], capture_output=True, text=True, check=True
    )

    said = machine.do("completion", "-s", shell, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}).stdout

    assert said.count("_gh_p2pcache_gh __complete") == 1
    assert said.splitlines()[0] == own.stdout.splitlines()[0]
    assert "function _gh_p2pcache_gh" in said or "\n_gh_p2pcache_gh() {" in said


PROFILES = {
    "bash": (".bashrc", f"PS1='> '\n. {GIT_COMPLETION}\n. $HOME/completion.bash\n"),
    "zsh": (".zshrc", "PS1='> '\nautoload -Uz compinit; compinit -u -D\n. $HOME/completion.zsh\n"),
    "fish": (".config/fish/config.fish", f". {CHECKOUT}/python/gh_p2pcache/shell/env.fish\n"),
}
TYPED = {
    "gh p2pcache verif": "verify",
    "gh p2pcache api --refresh --pagin": "--paginate",
    "git ghapi --refr": "--refresh",
    "git ghapi --refresh --pagin": "--paginate",
    "gh api --pagin": "--paginate",
}


def at_home(machine: Machine, shell: str) -> None:
    """Have the shim, `git ghapi`, and a profile with what `gh p2pcache completion` printed."""
    shim = machine.root / "data/gh-p2pcache/shim/gh"
    shim.parent.mkdir(parents=True)
    shim.symlink_to(CHECKOUT / "gh-p2pcache")
    engine = machine.root / "python"
    engine.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} "$@"\n')  # not -I: PYTHONPATH
    engine.chmod(0o755)
    script = machine.root / f"completion.{shell}"
    script.write_text(machine.do("completion", "-s", shell).stdout)
    home = str(machine.root / ".config")
    machine.env |= {"TERM": "xterm", "XDG_CONFIG_HOME": home, "GH_P2PCACHE_ENGINE": str(engine)}
    file, text = PROFILES[shell]
    profile = machine.root / file
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(text)
    alias = f'!f() {{ exec {CHECKOUT}/gh-p2pcache api "$@"; }}; f'
    define = ["git", "config", "--global", "alias.ghapi", alias]
    subprocess.run(define, env=machine.env, check=True)


@pytest.mark.parametrize("shell", sorted({"bash", "zsh"} & set(SHELLS)))
def test_tab_in_a_real_shell(machine: Machine, shell: str) -> None:
    if shell == "bash" and not GIT_COMPLETION.exists():
        pytest.skip("git has no completion for bash here")
    at_home(machine, shell)

    with terminal([SHELLS[shell], "-i"], machine.env) as screen:
        screen.until("> ")
        for typed, seen in TYPED.items():
            screen.type(f"{typed}\t")
            screen.until(f"{typed[: typed.rindex(' ')]} {seen}")
            screen.type("\x15")  # Ctrl-U: an empty line


@pytest.mark.skipif("fish" not in SHELLS, reason="no fish")
def test_what_fish_completes_where_it_is_on(machine: Machine) -> None:
    at_home(machine, "fish")
    asked = "; ".join(f"complete -C '{typed}'" for typed in TYPED)

    rows = interactive("fish", asked, machine.env).splitlines()

    assert [row.partition("\t")[0] for row in rows] == list(TYPED.values())


@pytest.mark.skipif("fish" not in SHELLS, reason="no fish")
def test_what_fish_completes_by_the_script_alone(machine: Machine) -> None:
    at_home(machine, "fish")
    profile = machine.root / ".config/fish/config.fish"
    profile.unlink()
    own = profile.with_name("completions") / "gh.fish"
    own.parent.mkdir()
    (machine.root / "completion.fish").rename(own)

    assert "verify\t" in interactive("fish", "complete -C 'gh p2pcache verif'", machine.env)
