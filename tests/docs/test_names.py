"""Commands, flags, settings and header fields that the pages name exist, and none is left out."""

import html
import re
import subprocess

import click

from gh_p2pcache import settings
from gh_p2pcache.cli import main
from support.messages import PACKAGE, ROOT

PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
}
ALL = "\n".join(PAGES.values())
OF_THE_ENTRY_POINT = {"api", "exec", "setup", "shellenv"}
CODE = re.compile(r"`([^`\n]+)`|^(?:\$ )?((?:\w+=\S+ )*gh p2pcache .*)$", re.MULTILINE)


def calls() -> list[list[str]]:
    """Every `gh p2pcache COMMAND …` of the pages, as words from COMMAND on."""
    texts = ["".join(groups) for groups in CODE.findall(ALL)]
    found = [call for text in texts for call in re.findall(r"gh p2pcache ([^|;,)]+)", text)]
    return [call.split() for call in found]


def command(words: list[str]) -> click.Command | None:
    """The command that these words call; None where there is none."""
    context = click.Context(main.commands)
    found: click.Command | None = main.commands
    for word in words:
        if not isinstance(found, click.Group) or word.startswith("-"):
            break
        found = found.get_command(context, word)
    return found


def test_every_command_exists() -> None:
    assert [words for words in calls() if words and command(words[:2]) is None] == []


def test_every_flag_exists() -> None:
    unknown = []
    for words in calls():
        if words[0] in OF_THE_ENTRY_POINT | {"explain"}:
            continue
        found = command(words[:2])
        assert found is not None
        known = {flag for parameter in found.params for flag in parameter.opts}
        flags = {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)}
        unknown += [words for flag in flags - known - {"--help", "-h", "--version"}]
    assert unknown == []


def test_the_card_leaves_no_command_out() -> None:
    card = PAGES["docs/quick-reference.md"]
    assert set(main.COMMANDS) <= set(re.findall(r"`(?:gh p2pcache )?([a-z]+)\b", card))


def test_every_setting_exists() -> None:
    known = {*settings.BY_NAME, *(n.alias for n in settings.NAMES)}
    assert set(re.findall(r"\b(?:CACHE|IPFS)_[A-Z_]+\b", ALL)) <= known


def test_every_option_of_install_sh_exists() -> None:
    usage = subprocess.run(
        [ROOT / "install.sh", "--help"], capture_output=True, text=True, check=True
    ).stdout
    named = re.findall(r"\./install\.sh (--[a-z-]+)", ALL)
    assert len(named) > 5
    assert set(named) <= set(re.findall(r"--[a-z-]+", usage))


def test_every_word_of_x_gh_cache_status_exists() -> None:
    (row,) = re.findall(r"`X-GH-Cache-Status: ([A-Z |]+)`", PAGES["docs/quick-reference.md"])
    answers = (PACKAGE / "engine/answer.py").read_text(encoding="utf-8")
    assert set(row.split(" | ")) == set(re.findall(r'^[A-Z]+ = "([A-Z]+)"$', answers, re.MULTILINE))


def test_the_story_in_the_readme_is_the_demo() -> None:
    story = (PACKAGE / "sim/demo.py").read_text(encoding="utf-8")
    drawn = (ROOT / "docs/demo.svg").read_text(encoding="utf-8")
    lines = html.unescape(re.sub(r"<[^>]+>", "\n", drawn)).replace("\xa0", " ")
    titles = re.findall(r"^ ?\d+  (.+?) *$", lines, re.MULTILINE)
    assert len(titles) >= 3
    assert [title for title in titles if title not in story] == []


def test_no_page_names_a_machine_of_ours() -> None:
    assert re.findall(r"/(?:work|opt|root|tmp)/\S*", ALL) == []
