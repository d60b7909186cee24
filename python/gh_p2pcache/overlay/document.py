"""gh's config.yml and hosts.yml, as far as an overlay needs them. Pure."""

from __future__ import annotations

from typing import Any

SOCKET_KEY = "http_unix_socket"

_VERSION_KEY = "version"
_VERSION = "1"
_TO_THE_REAL_ONE = frozenset({"auth", "config", "alias", "extension", "ext", "extensions"})
"""gh's commands that write its configuration, or print where it lies."""


class UnusableError(Exception):
    """This configuration can't be overlaid; the message says why, in words for a user."""


def parse(text: str, name: str) -> dict[str, Any]:
    """Return the mapping that a configuration file holds; scalars stay the strings they are.

    gh reads every scalar as its text (`prompt: yes` is "yes"), so nothing is resolved to a type.
    Raises UnusableError.
    """
    import yaml

    try:
        parsed = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  strings only
    except yaml.YAMLError as error:
        raise UnusableError(f"{name} is not valid YAML") from error
    if parsed in (None, ""):
        return {}
    if not isinstance(parsed, dict):
        raise UnusableError(f"{name} is not a mapping")
    return parsed


def overlaid(config: dict[str, Any], socket: str) -> str:
    """Return config.yml with gh's requests sent to `socket`, and a version lest gh migrate it.

    Comments are not carried over: nobody reads an overlay.
    """
    import yaml

    ours = {_VERSION_KEY: _VERSION, **config, SOCKET_KEY: socket}
    text: str = yaml.safe_dump(ours, sort_keys=False, allow_unicode=True, width=1 << 16)
    return text


def own_upstream(config: dict[str, Any]) -> str | None:
    """Return the user's own `http_unix_socket`, as CACHE_UPSTREAM would name it, or None."""
    path = config.get(SOCKET_KEY)
    return f"unix://{path}" if path else None


def has_version(config: dict[str, Any]) -> bool:
    """Say whether gh has migrated this configuration (it writes config.yml when it does)."""
    return bool(config.get(_VERSION_KEY))


def plain_aliases(config: dict[str, Any]) -> list[str]:
    """Return the aliases that must not go through the daemon.

    They expand to commands on the real configuration, or to `api --cache`: gh would pin a stale
    answer for so long, and the entry point, which says that it must be none, sees the name alone.
    A shell alias (`!…`) finds gh by itself, and comes by the entry point again.
    """
    aliases = config.get("aliases")
    if not isinstance(aliases, dict):
        return []
    return [
        name
        for name, expansion in aliases.items()
        if isinstance(expansion, str) and _is_plain(expansion)
    ]


def _is_plain(expansion: str) -> bool:
    first = _first_word(expansion)
    return first in _TO_THE_REAL_ONE or (first == "api" and "--cache" in expansion)


def _first_word(expansion: str) -> str:
    return next((word for word in expansion.split() if not word.startswith("-")), "")
