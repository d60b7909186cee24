"""Real shells that have the line of `gh p2pcache on` in their profile."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gh_p2pcache.shell import profile
from support.shells import CHECKOUT, SHELLS, home, interactive

EACH = pytest.mark.parametrize("shell", sorted(SHELLS))
PATH = {"fish": "string join : $PATH"}
ENV_FILE = {"fish": "env.fish"}


def switched_on(shell: str, root: Path) -> dict[str, str]:
    env = home(root)
    path = profile.path(shell, env)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(profile.added("", profile.line(shell, env)))
    return env


@EACH
def test_an_interactive_shell_has_the_shim_first_and_once(shell: str, tmp_path: Path) -> None:
    env = switched_on(shell, tmp_path)
    shim = str(tmp_path / ".local/share/gh-p2pcache/shim")
    show = PATH.get(shell, 'echo "$PATH"')
    places = f"/usr/bin:{shim}:/bin:{shim}:/usr/local/bin"

    assert interactive(shell, "gh", env) == "the shim\n"
    first, *others = interactive(shell, show, env | {"PATH": places}).strip().split(":")
    assert first == shim
    assert shim not in others
    assert [other for other in others if other in places] == ["/usr/bin", "/bin", "/usr/local/bin"]


@EACH
def test_sourcing_it_again_changes_nothing(shell: str, tmp_path: Path) -> None:
    env = switched_on(shell, tmp_path)
    file = tmp_path / ".local/share/gh-p2pcache/shell" / ENV_FILE.get(shell, "env.sh")
    show = PATH.get(shell, 'echo "$PATH"')

    once, twice = interactive(shell, f"{show}; . {file}; {show}", env).splitlines()

    assert once == twice


@EACH
def test_a_shell_that_runs_a_script_is_left_alone(shell: str, tmp_path: Path) -> None:
    env = switched_on(shell, tmp_path)
    read = f". {profile.path(shell, env)}; gh"

    said = subprocess.run(
        [SHELLS[shell], "-c", read], env=env, capture_output=True, text=True, check=True
    )

    assert said.stdout == "the real gh\n"


@EACH
def test_gh_goes_on_when_the_data_directory_goes(shell: str, tmp_path: Path) -> None:
    env = switched_on(shell, tmp_path)
    data = tmp_path / ".local/share/gh-p2pcache"

    assert interactive(shell, f"gh; mv {data} {data}.gone; gh", env) == "the shim\nthe real gh\n"
    said = subprocess.run(
        [SHELLS[shell], "-i", "-c", "gh"], env=env, capture_output=True, text=True, check=True
    )
    assert said.stdout == "the real gh\n"
    assert "gh-p2pcache" not in said.stderr


@EACH
def test_starting_a_shell_starts_no_other_process(shell: str, tmp_path: Path) -> None:
    env = switched_on(shell, tmp_path)
    file = tmp_path / ".local/share/gh-p2pcache/shell" / ENV_FILE.get(shell, "env.sh")
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace")

    said = subprocess.run(
        [
            strace,
            "-f",
            "-e",
            "trace=execve,clone,clone3,fork,vfork",
            SHELLS[shell],
            "-c",
            f". {file}",
        ],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stderr.count("execve(") == 1, said.stderr
    assert "SIGCHLD" not in said.stderr


@EACH
def test_shellenv_is_the_same_for_one_shell(shell: str, tmp_path: Path) -> None:
    env = home(tmp_path)
    entry = CHECKOUT / "gh-p2pcache"
    do = {"fish": f"{entry} shellenv | source; gh"}.get(shell, f'eval "$({entry} shellenv)"; gh')

    said = subprocess.run(
        [SHELLS[shell], "-c", do], env=env, capture_output=True, text=True, check=True
    )

    assert said.stdout == "the shim\n"
