"""docs/troubleshooting.md has every message that a user may get to see, and no other."""

import re

from gh_p2pcache import errors
from gh_p2pcache.gateway import calls
from support.messages import ERRORS, ROOT, SAYINGS, everything, of_python, of_sh

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
TABLES = re.findall(r"^\| it says \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
LISTED = [
    message
    for row in "".join(TABLES).splitlines()
    for message in re.findall(r"`([^`]+)`", row.split(" | ")[0])
]
ANSWERS = {text for text in LISTED if text[0] in "✅⚡🔄❌🌐"}
SAID_BY_OTHERS = {
    "install.sh: missing: …",
    "failed to run extension: fork/exec …: no such file or directory",
    "local extensions can not be upgraded",
}

TO_A_PROGRAM = re.compile(
    r"GH_P2PCACHE_FDS|started by the supervisor|no such command|a JSON object is expected"
    r"|HTTP/1\.1 is spoken|valid Host field|origin form|Authorization fields|No such command"
    r"|has no default|the request is not|/overlay takes|purge takes all"
    r"|forget takes a token|peers add takes|an error of ours at"
)
"""What a person at a terminal does not get to see."""


def test_every_message_is_explained() -> None:
    told = [
        *of_sh(),
        *of_python(ERRORS, "cli/*.py", "supervisor/*.py", "overlay/*.py", "installer/*.py"),
        *of_python(
            ERRORS, "settings.py", "parsers.py", "engine/*.py", "origin/*.py", "gateway/*.py"
        ),
        *of_python(ERRORS, "teams/*.py"),
        *of_python(re.compile("warn"), "teams/*.py"),
        *of_python(SAYINGS, "supervisor/*.py", "overlay/*.py", "engine/*.py", "gateway/*.py"),
        *of_python(re.compile("return"), "overlay/make.py"),
        *of_python(re.compile("append"), "settings.py"),
    ]
    unexplained = [
        message
        for message in told
        if not message.is_in(LISTED)
        and not TO_A_PROGRAM.search(message.pattern.pattern.replace("\\", ""))
    ]
    assert unexplained == []


def test_every_message_explained_is_in_the_code() -> None:
    known = list(everything())
    unknown = [
        text
        for text in LISTED
        if text not in ANSWERS | SAID_BY_OTHERS and not any(m.is_in([text]) for m in known)
    ]
    assert unknown == []


def test_every_word_for_an_answer_is_explained() -> None:
    assert {*calls._WORDS.values(), "❌ Not in the cache"} == ANSWERS


def test_every_exit_code_is_explained() -> None:
    section = PAGE[PAGE.index("## Exit codes") :]
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    ours = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.P2PCacheError)
    }
    # GitHub that can't be reached is an HTTP answer, never a command's end.
    assert ours - {errors.OriginError.exit_code} <= explained
