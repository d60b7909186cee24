"""docs/configuration.md is what the settings of now say, and its example is one."""

import re
from pathlib import Path

from gh_p2pcache import settings
from support.configuration_page import PAGE, renewed

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_is_current() -> None:
    assert renewed(TEXT) == TEXT, (
        "run: PYTHONPATH=python python tests/support/configuration_page.py"
    )


def test_the_example_is_understood(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "config.toml").write_text(example)
    loaded = settings.load({}, settings.read_file(tmp_path / "config.toml"))
    assert loaded.warnings == ()
    assert loaded.default_ttl == 600
    assert dict(loaded.rules)["api.github.com/search/*"] == 0


def test_every_foreign_variable_is_named() -> None:
    named = TEXT.lower()
    assert [name for name in settings.FOREIGN if f"`{name.lower()}`" not in named] == []
