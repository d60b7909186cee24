"""The lock files say what pyproject.toml says, exactly and from nowhere in particular."""

import re
import sys
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.installing import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
_PLACES = [
    {"python_full_version": version, "sys_platform": system, "platform_machine": machine}
    for version in ("3.10.0", "3.11.4", "3.12.0", "3.13.2", "3.14.0")
    for system, machine in (
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("darwin", "x86_64"),
    )
]


def _wanted(group: str) -> Iterator[Requirement]:
    for entry in _PROJECT["dependency-groups"][group]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from _wanted(entry["include-group"])


_ENGINE = [Requirement(text) for text in _PROJECT["project"]["dependencies"]]
_LOCKS = {
    "requirements.lock": _ENGINE,
    "requirements-dev.lock": _ENGINE + list(_wanted("dev")),
    "requirements-peer.lock": list(_wanted("peer")),
    "requirements-gh.lock": list(_wanted("gh")),
}


def _entries(name: str) -> list[str]:
    joined = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", _LOCKS)
@pytest.mark.parametrize("place", _PLACES, ids=lambda place: "-".join(place.values()))
def test_what_the_project_wants_is_pinned_within_its_bounds(
    name: str, place: dict[str, str]
) -> None:
    here = place | {"python_version": ".".join(place["python_full_version"].split(".")[:2])}
    pinned: dict[str, str] = {}
    for entry in _entries(name):
        requirement = Requirement(entry.split("--hash")[0])
        if requirement.marker is None or requirement.marker.evaluate(here):
            (pin,) = requirement.specifier
            assert requirement.name not in pinned, "two versions for one place"
            pinned[canonicalize_name(requirement.name)] = pin.version
    for wanted in _LOCKS[name]:
        if wanted.marker is None or wanted.marker.evaluate(here):
            assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), wanted


@pytest.mark.parametrize("name", _LOCKS)
def test_every_pin_is_exact_and_hashed_and_names_no_host(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()
    for entry in _entries(name):
        assert re.fullmatch(r"[a-z0-9-]+==[^ ;]+( ; .*?)?( +--hash=sha256:[0-9a-f]{64})+", entry)


def test_the_engine_the_peers_and_the_tests_have_the_same_versions() -> None:
    engine, peers, tests = (
        {entry.split()[0] for entry in _entries(name)}
        for name in ("requirements.lock", "requirements-peer.lock", "requirements-dev.lock")
    )
    assert engine <= tests
    assert peers <= tests


def test_the_peers_have_nothing_twice_that_the_engine_has() -> None:
    engine, peers = (
        {entry.split("==")[0] for entry in _entries(name)}
        for name in ("requirements.lock", "requirements-peer.lock")
    )
    assert not engine & peers
