"""The private socket: one gateway at a time, whatever it does, and never a word for another."""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from gh_p2pcache.peer import door as door_module
from gh_p2pcache.peer.door import Door
from gh_p2pcache.peer.frames import LOCAL_LIMIT
from gh_p2pcache.peer.messages import (
    TO_GATEWAY,
    Bury,
    Find,
    Found,
    Hello,
    Keep,
    Members,
    Message,
    Nobody,
    ScopeGrant,
    frame,
    read_message,
)
from gh_p2pcache.records.sign import Signer, peer_id
from support.members import DATE, SCOPE, TAG

GRANT = ScopeGrant(SCOPE, bytes(32), b"t" * 32, "a team")
HELLO = Hello((GRANT,), 9100, (), mdns=False, keeper=False, max_blob=8 << 20)
FIND = Find(1, SCOPE, TAG, b"", 0, 0.15)
PEER = peer_id(Signer(bytes(32)).public)
BLOB = bytes(8 << 20)
FOUND = Found(1, bytes(32), DATE, 1.0, bytes(32), bytes(64), PEER, BLOB)
KEEP = Keep(SCOPE, TAG, bytes(32), DATE, 1.0, bytes(32), bytes(64), PEER, BLOB)


@dataclass
class Desk:
    """Notes what comes; waits before each message while `gate` is closed."""

    taken: list[Message] = field(default_factory=list)
    lefts: int = 0
    changed: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)
    gate: trio.Event = field(default_factory=trio.Event)

    async def take(self, message: Message) -> None:
        await self.gate.wait()
        self.taken.append(message)
        self.changed.unpark_all()

    def left(self) -> None:
        self.lefts += 1
        self.changed.unpark_all()

    async def until(self, met: Callable[[], bool]) -> None:
        with trio.fail_after(60):
            while not met():
                await self.changed.park()


class Gateway:
    """The other end of the socket."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream

    async def read(self, n: int, /) -> bytes:
        try:
            return bytes(await self.stream.receive_some(n))
        except trio.BrokenResourceError:
            return b""

    async def say(self, *messages: Message) -> None:
        for message in messages:
            await self.stream.send_all(frame(message, LOCAL_LIMIT))

    async def hear(self) -> Message | None:
        with trio.fail_after(60):
            return await read_message(self, TO_GATEWAY, LOCAL_LIMIT)


@dataclass
class House:
    """A door on a socket, with its desk."""

    path: Path
    door: Door
    desk: Desk
    gateways: list[Gateway] = field(default_factory=list)

    async def gateway(self, *first: Message) -> Gateway:
        gateway = Gateway(await trio.open_unix_socket(self.path))
        self.gateways.append(gateway)
        await gateway.say(*first)
        return gateway


@asynccontextmanager
async def house(path: Path, *, opened: bool = True) -> AsyncIterator[House]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path / "s"))
    listener.listen()
    door, desk = Door(listener), Desk()
    desk.gate.set()
    if opened:
        door.open(desk)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.run)
        made = House(path / "s", door, desk)
        yield made
        for gateway in made.gateways:
            await gateway.stream.aclose()
        nursery.cancel_scope.cancel()
    listener.close()


def in_a_house(
    path: Path,
    main: Callable[[House], Awaitable[None]],
    *,
    opened: bool = True,
    clock: MockClock | None = None,
) -> None:
    async def run() -> None:
        async with house(path, opened=opened) as one:
            await main(one)

    trio.run(run, clock=clock)


def test_hello_comes_first_and_then_messages_go_both_ways(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(HELLO, FIND)
        assert await one.door.hello() == HELLO
        await one.desk.until(lambda: one.desk.taken == [HELLO, FIND])
        one.door.send(Members(3, 2))
        one.door.send(FOUND)
        assert await gateway.hear() == Members(3, 2)
        assert await gateway.hear() == FOUND

    in_a_house(tmp_path, main)


def test_what_comes_before_we_are_ready_waits_in_the_socket(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        await one.gateway(HELLO, FIND)
        await one.door.hello()
        one.door.open(one.desk)
        await one.desk.until(lambda: one.desk.taken == [HELLO, FIND])

    in_a_house(tmp_path, main, opened=False)


@pytest.mark.parametrize("first", [FIND, None])
def test_who_says_no_hello_is_no_gateway(tmp_path: Path, first: Message | None) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(*([first] if first else []))
        if first is None:
            await gateway.stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
        assert await gateway.hear() is None
        assert one.desk.taken == []

    in_a_house(tmp_path, main)


def test_another_users_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(one: House) -> None:
        monkeypatch.setattr(os, "getuid", lambda: 4711)
        with suppress(trio.BrokenResourceError):  # refused before it could speak
            gateway = await one.gateway(HELLO)
            assert await gateway.hear() is None
        assert one.desk.taken == []

    in_a_house(tmp_path, main)


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ()},
        {"scopes": (replace(GRANT, member=b"m" * 32),)},
        {"port": 9101},
        {"bootstrap": ("/ip4/127.0.0.1/tcp/1",)},
        {"mdns": True},
    ],
)
def test_a_hello_for_another_process_asks_for_one(
    tmp_path: Path, change: dict[str, object]
) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(HELLO)
        await one.desk.until(lambda: one.desk.taken == [HELLO])
        same = replace(HELLO, banned=(b"b" * 32,), scopes=(replace(GRANT, team="renamed"),))
        await gateway.say(same)
        await one.desk.until(lambda: one.desk.taken == [HELLO, same])
        assert not one.door.changed.is_set()
        await gateway.say(replace(HELLO, **change))  # type: ignore[arg-type]
        with trio.fail_after(60):
            await one.door.changed.wait()

    in_a_house(tmp_path, main)


def test_a_new_gateway_replaces_the_old_one(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        old = await one.gateway(HELLO)
        await one.desk.until(lambda: len(one.desk.taken) == 1)
        new = await one.gateway(HELLO)
        await one.desk.until(lambda: len(one.desk.taken) == 2)
        assert one.desk.lefts == 1
        assert await old.hear() is None
        one.door.send(Nobody(1, yours=True))
        assert await new.hear() == Nobody(1, yours=True)

    in_a_house(tmp_path, main)


def test_a_gateway_that_leaves_is_noticed_and_may_come_again(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        for times in (1, 2):
            gateway = await one.gateway(HELLO)
            await one.desk.until(lambda times=times: len(one.desk.taken) == times)
            await gateway.stream.aclose()
            await one.desk.until(lambda times=times: one.desk.lefts == times)
            one.door.send(Members(0, 0))  # to nobody

    in_a_house(tmp_path, main)


def test_rubbish_ends_the_connection_and_not_the_process(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(HELLO)
        await gateway.stream.send_all(b"\xff" * 9)
        assert await gateway.hear() is None
        await one.desk.until(lambda: one.desk.lefts == 1)
        again = await one.gateway(HELLO)
        await one.desk.until(lambda: len(one.desk.taken) == 2)
        one.door.send(Members(1, 1))
        assert await again.hear() == Members(1, 1)

    in_a_house(tmp_path, main)


def test_a_gateway_that_does_not_read_is_dropped_before_it_fills_the_memory(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(HELLO)
        await one.desk.until(lambda: len(one.desk.taken) == 1)
        for _ in range(20):
            one.door.send(FOUND)
        await one.desk.until(lambda: one.desk.lefts == 1)
        assert gateway

    in_a_house(tmp_path, main, clock=MockClock())  # no time passes: it is not for being slow


def test_what_is_kept_for_others_is_let_go_before_the_gateway_is(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(HELLO)
        await one.desk.until(lambda: len(one.desk.taken) == 1)
        for _ in range(20):
            one.door.send(KEEP)
        one.door.send(Members(1, 1))
        heard: list[Message | None] = []
        while not heard or heard[-1] != Members(1, 1):
            heard.append(await gateway.hear())
        assert 1 <= heard.count(KEEP) < 5

    in_a_house(tmp_path, main)


def test_a_gateway_that_says_too_much_waits(tmp_path: Path) -> None:
    async def main(one: House) -> None:
        gateway = await one.gateway(HELLO)
        await one.desk.until(lambda: len(one.desk.taken) == 1)
        one.desk.gate = trio.Event()
        bury = Bury(SCOPE, tuple(n.to_bytes(16, "big") for n in range(1000)), DATE)
        said = 0
        with trio.move_on_after(0.3):
            for _ in range(10_000):
                await gateway.say(bury)
                said += 1
        assert said < 100, "all of it was taken into memory"
        assert len(one.desk.taken) == 1

    in_a_house(tmp_path, main)


def test_a_gateway_that_hangs_in_the_middle_is_dropped_in_time(tmp_path: Path) -> None:
    clock = MockClock()

    async def run() -> None:
        async with house(tmp_path) as one:
            await one.gateway(HELLO)
            await one.desk.until(lambda: len(one.desk.taken) == 1)
            one.door.send(FOUND)
            await trio.testing.wait_all_tasks_blocked(0.05)
            clock.jump(door_module._PATIENCE)
            await one.desk.until(lambda: one.desk.lefts == 1)

    trio.run(run, clock=clock)
