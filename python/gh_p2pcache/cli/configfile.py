"""config.toml as a text that people edit too: changed in place, its comments stay (tomlkit)."""

from __future__ import annotations

import difflib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from gh_p2pcache import settings
from gh_p2pcache.errors import ConfigError, UsageError
from gh_p2pcache.parsers import parse_rule
from gh_p2pcache.settings import Name

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_RULES = "rules"


def find(key: str) -> Name[object] | None:
    """Return the setting called `key` in the environment or in config.toml."""
    for name in settings.NAMES:
        if key in {name.name, name.key, name.alias}:
            return name
    return None


def name_of(key: str) -> Name[object]:
    """Return the setting called `key`. Raises UsageError, naming what comes near."""
    found = find(key)
    if found is not None:
        return found
    keys = [name.key for name in settings.NAMES]
    near = difflib.get_close_matches(key.lower().removeprefix("cache_"), keys, 1)
    hint = f"did you mean {near[0]}?" if near else "gh p2pcache config list shows them all"
    raise UsageError(f"'{key}' is not a setting ({hint})")


def set_value(path: Path, name: Name[object], text: str) -> None:
    """Write one setting. Raises ConfigError for a value it does not take."""
    if "D" not in name.read_by or name is settings.STATE_DIR:
        raise ConfigError(f"{name.name} counts in the environment only: export it in your profile")
    if not text:
        raise ConfigError(f"{name.key} takes a value (gh p2pcache config unset {name.key})")
    try:
        value = name.parse(text)
    except ConfigError as error:
        shown = "" if name.secret else f" ('{text}' was given)"
        raise ConfigError(f"{name.key} {error}{shown}") from error
    document = _read(path)
    document[name.key] = list(value) if isinstance(value, tuple) else _plain(text)
    _write(path, document)


def set_rule(path: Path, pattern: str, text: str) -> None:
    """Write how long answers under a pattern of HOST/PATH are fresh. Raises ConfigError."""
    import tomlkit

    try:
        parse_rule(pattern, text)
    except ConfigError as error:
        raise ConfigError(f"rules: '{pattern}' {error} ('{text}' was given)") from error
    document = _read(path)
    rules = document.setdefault(_RULES, tomlkit.table())
    if not isinstance(rules, dict):
        raise ConfigError(f'{path}: rules takes a table of "pattern" = duration')
    rules[pattern] = _plain(text)
    _write(path, document)


def unset(path: Path, key: str) -> bool:
    """Remove a key of any name, `rules.PATTERN` included; False if it is not there."""
    document = _read(path)
    section, dot, pattern = key.partition(".")
    table: object = document.get(_RULES) if dot and section == _RULES else document
    name = find(key)
    wanted = pattern if dot and section == _RULES else (name.key if name else key)
    if not isinstance(table, dict) or wanted not in table:
        return False
    del table[wanted]
    if not table and table is not document:
        del document[_RULES]
    _write(path, document)
    return True


def _plain(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _read(path: Path) -> TOMLDocument:
    import tomlkit

    try:
        # Asked first: where a text ends early, tomlkit names another place than `doctor`.
        settings.read_file(path)
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except ConfigError as error:
        raise ConfigError(f"{error}; correct it first") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}; correct it first") from error


def _write(path: Path, document: TOMLDocument) -> None:
    """Replace the file at once, readable by its owner only; a link to it stays a link."""
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = real.with_name(f"{real.name}.{secrets.token_hex(4)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(document.as_string())
        new.replace(real)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
