"""The line in a profile: added once, taken back to the byte."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gh_p2pcache.shell import profile
from gh_p2pcache.shell.replace import replace

ENV = {"HOME": "/home/mona"}
LINE = profile.line("bash", ENV)


@given(st.text("ab\n\r# é", max_size=20))
@example("")
@example("\n")
@example("no end")
@example("alias x=y\r\n")
def test_what_was_added_is_taken_back(text: str) -> None:
    with_line = profile.added(text, LINE)

    assert any(row.startswith(LINE) for row in with_line.splitlines())
    assert with_line.endswith("\n")
    assert profile.added(with_line, LINE) == with_line
    assert profile.removed(with_line) == text


@given(st.text("ab\n\r# é", max_size=20))
@example("no end")
def test_what_comes_after_it_stays_a_line_of_its_own(text: str) -> None:
    own = text if not text or text.endswith("\n") else f"{text}\n"

    assert profile.removed(profile.added(text, LINE) + "export FOO=1\n") == f"{own}export FOO=1\n"


def test_what_was_put_behind_a_line_without_an_end_is_kept() -> None:
    glued = f"a\n{LINE}export FOO=1\n"

    assert profile.removed(glued) == "a\nexport FOO=1\n"
    assert profile.added(glued, LINE) == f"a\nexport FOO=1\n{LINE}\n"
    assert profile.added(f"a\n{LINE}", LINE) == f"a\n{LINE}\n"


def test_a_line_of_another_place_is_replaced() -> None:
    old = profile.line("bash", ENV | {"XDG_DATA_HOME": "/elsewhere/my data"})

    assert "'/elsewhere/my data/gh-p2pcache/shell/env.sh'" in old
    assert profile.added(f"a\n{old}\nb\n", LINE) == f"a\nb\n{LINE}\n"


def test_a_users_own_lines_are_not_ours() -> None:
    text = f"# see gh-p2pcache/shell/env.sh\nPATH=gh-p2pcache/shim:$PATH\n{profile.MARK}\n"

    assert profile.removed(text) == text


@pytest.mark.parametrize(
    ("shell", "env", "path"),
    [
        ("bash", {}, "/home/mona/.bashrc"),
        ("zsh", {}, "/home/mona/.zshrc"),
        ("zsh", {"ZDOTDIR": "/z"}, "/z/.zshrc"),
        ("fish", {}, "/home/mona/.config/fish/config.fish"),
        ("fish", {"XDG_CONFIG_HOME": "/x"}, "/x/fish/config.fish"),
    ],
)
def test_the_profile_is_the_one_that_the_shell_reads(
    shell: str, env: dict[str, str], path: str
) -> None:
    assert profile.path(shell, ENV | env) == Path(path)


def test_a_file_is_replaced_through_its_link_with_its_mode_and_bytes(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles/bashrc"
    real.parent.mkdir()
    real.write_bytes(b"latin \xe9\r\n")
    real.chmod(0o600)
    link = tmp_path / ".bashrc"
    link.symlink_to("dotfiles/bashrc")

    replace(link, profile.added(profile.read(link), LINE))

    assert link.is_symlink()
    assert real.read_bytes() == b"latin \xe9\r\n" + LINE.encode() + b"\n"
    assert real.stat().st_mode & 0o777 == 0o600
    assert list(real.parent.iterdir()) == [real]


@pytest.mark.parametrize(("before", "modes"), [(0o640, [0o600, 0o640]), (None, [0o644, 0o644])])
def test_a_private_file_is_private_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int | None, modes: list[int]
) -> None:
    file = tmp_path / ".bashrc"
    if before is not None:
        file.touch()
        file.chmod(before)
    seen = []
    really_open = Path.open

    def opened(path: Path, *args: Any, **kwargs: Any) -> Any:
        made = really_open(path, *args, **kwargs)
        seen.append(path.stat().st_mode & 0o777)
        return made

    monkeypatch.setattr(Path, "open", opened)
    umask = os.umask(0o022)
    try:
        replace(file, "export TOKEN=1\n")
    finally:
        os.umask(umask)

    assert [*seen, file.stat().st_mode & 0o777] == modes


def test_a_profile_that_cannot_be_read_keeps_no_other_from_being_found(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").symlink_to("/proc/self/mem")  # a file that root can't read either
    (tmp_path / ".zshrc").write_text(LINE)

    assert profile.where_on({"HOME": str(tmp_path)}) == [tmp_path / ".zshrc"]
