"""Hosts that were seen to work once, and those that were not."""

import asyncio
from pathlib import Path

from gh_p2pcache.errors import OriginError
from gh_p2pcache.overlay.verified import Verified


class Hosts:
    def __init__(self) -> None:
        self.checked: list[str] = []
        self.fail = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def check(self, host: str) -> None:
        self.checked.append(host)
        await self.gate.wait()
        if self.fail:
            raise OriginError("no route")


async def test_a_host_is_checked_once_and_remembered_over_restarts(tmp_path: Path) -> None:
    hosts = Hosts()

    assert await Verified(tmp_path, hosts.check, way="")("github.com")
    assert await Verified(tmp_path, hosts.check, way="")("github.com")

    assert hosts.checked == ["github.com"]


async def test_by_another_way_it_is_checked_anew(tmp_path: Path) -> None:
    hosts = Hosts()
    assert await Verified(tmp_path, hosts.check, way="")("github.com")
    hosts.fail = True

    assert not await Verified(tmp_path, hosts.check, way="socks5://127.0.0.1:1")("github.com")
    assert await Verified(tmp_path, hosts.check, way="")("github.com"), "and back"


async def test_a_host_that_failed_is_not_checked_again_at_once(tmp_path: Path) -> None:
    hosts = Hosts()
    hosts.fail = True
    verified = Verified(tmp_path, hosts.check, way="")

    assert not await verified("github.com")
    assert not await verified("github.com")

    assert hosts.checked == ["github.com"]
    assert not (tmp_path / "verified/github.com").exists()


async def test_a_slow_check_goes_on_and_counts_for_a_later_call(tmp_path: Path) -> None:
    hosts = Hosts()
    hosts.gate.clear()
    verified = Verified(tmp_path, hosts.check, way="")

    assert await asyncio.gather(verified("github.com"), verified("github.com")) == [False, False]
    hosts.gate.set()

    assert await verified("github.com")
    assert hosts.checked == ["github.com"], "one check for all who wait"


async def test_a_memory_that_cannot_be_written_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (tmp_path / "verified").write_text("in the way")

    assert await Verified(tmp_path, Hosts().check, way="")("github.com")
