"""The overlay of a configuration directory: when it is made, renewed and refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gh_p2pcache.overlay import files
from gh_p2pcache.overlay.make import make_overlay
from gh_p2pcache.overlay.source import upstream_of


class World:
    """A state directory, a runtime directory, a real directory, and which hosts can be verified."""

    def __init__(self, root: Path) -> None:
        self.state, self.run, self.real = root / "state", root / "run", root / "real dir"
        self.run.mkdir()
        (self.run / "settings").touch()
        self.unreachable: set[str] = set()
        self.asked: list[str] = []
        self.upstream: str | None = None

    def config(self, text: str) -> None:
        self.real.mkdir(exist_ok=True)
        (self.real / "config.yml").write_text(text)

    def hosts(self, text: str) -> None:
        self.real.mkdir(exist_ok=True)
        (self.real / "hosts.yml").write_text(text)

    async def make(self, gh_host: str = "") -> str:
        return await make_overlay(
            self.state,
            {name: self.run / f"{name}.sock" for name in ("ttl", "exact")},
            self.real,
            upstream=self.upstream,
            verify=self._verify,
            gh_host=gh_host,
        )

    async def _verify(self, host: str) -> bool:
        self.asked.append(host)
        return host not in self.unreachable

    def overlay(self, profile: str = "ttl") -> Path:
        return files.directory(self.state, profile, self.real)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_both_profiles_get_their_own_socket_and_the_real_hosts(world: World) -> None:
    world.config('version: "1"\neditor: vim\n')
    world.hosts("github.com:\n    oauth_token: secret\n")

    assert await world.make() == ""

    for profile in ("ttl", "exact"):
        overlay = world.overlay(profile)
        assert overlay == world.state / f"overlay/{profile}{world.real}/@"
        assert (
            f"http_unix_socket: {world.run}/{profile}.sock" in (overlay / "config.yml").read_text()
        )
        assert (overlay / "hosts.yml").readlink() == world.real / "hosts.yml"
        assert (overlay / "config.yml").stat().st_mtime_ns == (
            world.real / "config.yml"
        ).stat().st_mtime_ns
        assert [entry.name for entry in (overlay / "hosts").iterdir()] == ["github.com"]
    assert "secret" not in "".join(
        p.read_text() for p in world.state.rglob("*") if p.is_file() and not p.is_symlink()
    )


async def test_its_stamp_is_the_newest_of_what_it_was_made_from(world: World) -> None:
    world.config('version: "1"\n')
    world.hosts("")
    for seconds, path in enumerate((world.real, world.real / "hosts.yml", world.run / "settings")):
        os.utime(path, (1000 + seconds, 1000 + seconds))

    await world.make()
    assert (world.overlay() / "made").stat().st_mtime == 1002

    os.utime(world.real / "hosts.yml", (2000, 2000))
    await world.make()
    assert (world.overlay() / "made").stat().st_mtime == 2000


async def test_no_configuration_at_all_is_one_too(world: World) -> None:
    assert await world.make() == ""

    assert (world.overlay() / "config.yml").read_text().startswith("version: '1'\n")
    assert world.asked == ["github.com"]
    assert not (world.overlay() / "hosts.yml").exists()
    assert (world.overlay() / "hosts.yml").is_symlink(), "a login is seen when there is one"


async def test_a_changed_configuration_is_taken_over_and_its_old_aliases_dropped(
    world: World,
) -> None:
    world.config('version: "1"\naliases:\n    ed: config set editor\n    ../x: auth login\n')
    await world.make()
    assert [entry.name for entry in (world.overlay() / "plain").iterdir()] == ["ed"]

    world.config('version: "1"\naliases:\n    who: auth status\n')
    await world.make()
    assert [entry.name for entry in (world.overlay() / "plain").iterdir()] == ["who"]


async def test_every_named_host_is_verified_first(world: World) -> None:
    world.config('version: "1"\n')
    world.hosts("github.com:\n    user: a\nghe.example.com:\n    user: b\n")
    world.unreachable = {"ghe.example.com"}

    assert await world.make() == (
        "ghe.example.com could not be reached and verified from the daemon yet"
    )
    assert sorted(world.asked) == ["ghe.example.com", "github.com"]
    assert not (world.overlay() / "made").exists()
    assert not (world.overlay() / "refused").exists(), "it may be reachable in a moment"

    world.unreachable = set()
    assert await world.make() == ""


async def test_gh_host_of_the_call_is_verified_too(world: World) -> None:
    world.unreachable = {"ghe.example.com"}

    assert "ghe.example.com" in await world.make("GHE.example.com")
    world.unreachable = set()
    assert await world.make("ghe.example.com:8443") == ""
    assert (world.overlay() / "hosts/ghe.example.com:8443").exists()
    assert await world.make("../../etc") == "GH_HOST: '../../etc' is no host name"
    assert (world.overlay() / "made").exists(), "one odd call does not undo it for the others"


async def test_with_an_upstream_no_host_is_asked(world: World) -> None:
    world.upstream = "https://proxy.example"
    world.hosts("ghe.example.com:\n    user: b\n")
    world.config('version: "1"\n')

    assert await world.make() == ""
    assert world.asked == []
    assert (world.overlay() / "hosts/ghe.example.com").exists()


async def test_a_socket_of_the_user_s_is_our_upstream_or_the_reason_against_it(
    world: World,
) -> None:
    world.config('version: "1"\nhttp_unix_socket: /users/own.sock\n')
    assert upstream_of(world.real) == "unix:///users/own.sock"

    assert "http_unix_socket of its own" in await world.make()
    assert (world.overlay() / "refused").read_text().startswith(f"{world.real}/config.yml has an")

    world.upstream = upstream_of(world.real)
    assert await world.make() == ""
    assert f"{world.run}/ttl.sock" in (world.overlay() / "config.yml").read_text()
    assert not (world.overlay() / "refused").exists()


def test_an_unusable_configuration_names_no_upstream(world: World) -> None:
    assert upstream_of(world.real) is None
    world.config("aliases: [\n")
    assert upstream_of(world.real) is None


async def test_gh_gets_one_call_to_migrate_and_one_that_does_not_is_served(world: World) -> None:
    world.hosts("github.com:\n    oauth_token: a\n")
    world.config("editor: vim\n")

    assert "up to date first" in await world.make()
    assert await world.make() == "", "gh 2.23 never migrates"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("config.yml", b"a: [", "is not valid YAML"),
        ("config.yml", b"\xff\xfe", "is not UTF-8"),
        ("hosts.yml", b"- a", "is not a mapping"),
        ("hosts.yml", b"a/b:\n  user: x\n", "'a/b' is no host name"),
    ],
)
async def test_what_cannot_be_read_is_refused_until_it_changes(
    world: World, name: str, content: bytes, reason: str
) -> None:
    world.config('version: "1"\n')
    await world.make()
    (world.real / name).write_bytes(content)

    assert reason in await world.make()
    assert reason in (world.overlay() / "refused").read_text()
    assert not (world.overlay() / "made").exists()

    world.config('version: "1"\n')
    world.hosts("")
    assert await world.make() == ""
    assert not (world.overlay() / "refused").exists()


async def test_a_directory_in_the_place_of_a_file_is_refused(world: World) -> None:
    (world.real / "config.yml").mkdir(parents=True)

    assert "can't be read (Is a directory)" in await world.make()


async def test_only_the_user_may_read_it(world: World) -> None:
    old = os.umask(0)
    try:
        await world.make()
    finally:
        os.umask(old)

    for entry in world.overlay().rglob("*"):
        assert entry.is_symlink() or entry.stat().st_mode & 0o077 == 0, entry
    assert world.overlay().stat().st_mode & 0o077 == 0


async def test_a_reader_never_sees_half_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is replaced at once, and `made` comes after all that it vouches for."""
    world.config('version: "1"\n')
    order: list[str] = []
    replace: Callable[[Path, Path], Path] = Path.replace
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (order.append(Path(to).name), replace(self, to))[1]
    )

    await world.make()

    ttl = order[: len(order) // 2]
    assert ttl == ["hosts.yml", "config.yml", "made"]
