"""The table of settings in docs/configuration.md, made from settings.NAMES.

To renew the page: PYTHONPATH=python python tests/support/configuration_page.py
"""

from pathlib import Path
from typing import Any

from gh_p2pcache import settings
from gh_p2pcache.settings import Name

PAGE = Path(__file__).parents[2] / "docs/configuration.md"
BEGIN = "<!-- settings: made by tests/support/configuration_page.py -->\n"
END = "<!-- end of settings -->\n"

_READ = {
    "E": "at each call",
    "D": "when the daemon starts",
    "E D": "at each call, and when the daemon starts",
}


def table() -> str:
    """Return one row a setting."""
    rows = ["| environment | config.toml | default | what it sets | read |", "| --- " * 5 + "|"]
    rows += [_row(name) for name in settings.NAMES]
    return "\n".join(rows) + "\n"


def renewed(page: str) -> str:
    """Return the page with the table of now between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + table() + "\n" + END + after


def _row(name: Name[Any]) -> str:
    names = f"`{name.name}`" + (f", `{name.alias}`" if name.alias else "")
    default = name.default_note or (f"`{name.default}`" if name.default else "none")
    key = f"`{name.key}`" if name.in_file else "environment only"
    return f"| {names} | {key} | {default} | {name.help} | {_READ[name.read_by]} |"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
