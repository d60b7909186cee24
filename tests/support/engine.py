"""A whole engine over the in-process small GitHub, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from gh_p2pcache import settings
from gh_p2pcache.engine import assembly, principals
from gh_p2pcache.engine.answer import Answer
from gh_p2pcache.engine.assembly import House, build
from gh_p2pcache.engine.clock import Clock
from gh_p2pcache.engine.peers import Peers
from gh_p2pcache.origin.client import Origin, Streamed
from gh_p2pcache.records import seal
from gh_p2pcache.records.message import Request, Response
from gh_p2pcache.records.seal import derive
from gh_p2pcache.sim.clock import Clock as SimClock
from gh_p2pcache.sim.sim import Sim
from support.sim import SECRETS

# PBKDF2 is slow on purpose; deriving each test token once is enough.
principals.derive = assembly.derive = seal.derive = lru_cache(derive)  # type: ignore[attr-defined]
START = 1_780_000_000.0


class VirtualTime:
    """A TimeSource that stands still until it is moved; `jump` moves the wall clock alone."""

    def __init__(self) -> None:
        self.seconds = START
        self.jumped = 0.0

    def wall(self) -> float:
        return self.seconds + self.jumped

    def steady(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    def jump(self, seconds: float) -> None:
        self.jumped += seconds


class Inline(ThreadPoolExecutor):
    """Does the work at once: threads would make a run of the state machine irreproducible."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def,override]
        done: Future[object] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed on, as an executor does
            done.set_exception(error)
        return done


class SimOrigin(Origin):
    """The way to the small GitHub without a socket; `on_answer` sees all that it says."""

    def __init__(self, sim: Sim) -> None:
        super().__init__(None)
        self.sim = sim
        self.sent: list[Request] = []
        self.on_answer: Callable[[Request, Response], None] = lambda _request, _response: None

    @asynccontextmanager
    async def open(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None = None,
        *,
        reuse: bool = True,  # noqa: ARG002
        silence: float | None = None,  # noqa: ARG002
    ) -> AsyncIterator[Streamed]:
        if body is not None:
            whole = b"".join([chunk async for chunk in body])
            request = replace(request, body=whole)
        self.sent.append(request)
        response = await self.sim.handle(request)
        for _ in range(20):  # the way there and back: whoever asks at the same time has arrived
            await asyncio.sleep(0)
        self.on_answer(request, response)
        yield Streamed(response.status, response.headers, _once(response.body))


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


class Bench:
    """Time, the small GitHub, and an engine that can be stopped, killed and started anew."""

    def __init__(
        self,
        directory: Path,
        env: dict[str, str] | None = None,
        *,
        beside: Bench | None = None,
        peers: Peers | None = None,
    ) -> None:
        """`beside`: another machine in the same world."""
        self.time = beside.time if beside else VirtualTime()
        self.sim = beside.sim if beside else Sim(SimClock(self.time.steady))
        self.origin = SimOrigin(self.sim)
        self.peers = peers
        self.env = {
            "CACHE_STATE_DIR": str(directory / "state"),
            "CACHE_DIR": str(directory / "cache"),
            "HOME": str(directory),
            **(env or {}),
        }
        self.house: House | None = None

    async def start(self) -> None:
        loaded = settings.load(self.env)
        assert not loaded.warnings, loaded.warnings
        asyncio.get_running_loop().set_default_executor(Inline())
        self.house = await build(
            loaded, self.env, clock=Clock(self.time), origin=self.origin, peers=self.peers
        )

    async def stop(self) -> None:
        assert self.house is not None
        await self.house.close()
        self.house = None

    def abandon(self) -> None:
        """Leave as a killed process does, closing nothing."""
        self.house = None

    async def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        token: str | None = "alice",
        profile: str = "ttl",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        host: str = "api.github.com",
    ) -> Answer:
        """Ask as gh would and return the answer, streams read to their end."""
        assert self.house is not None
        request = request_of(target, method, token, headers, body, host)
        engine = self.house.engine
        call = await engine.prepare(request, profile)
        given = await (
            engine.read(call) if call.plan.action == "keep" else engine.forward(call, None)
        )
        if given.stream is not None:
            given.body = b"".join([chunk async for chunk in given.stream])
            given.stream = None
        return given


def request_of(  # noqa: PLR0917
    target: str,
    method: str = "GET",
    token: str | None = "alice",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    host: str = "api.github.com",
) -> Request:
    """Return a request with the header fields that gh 2.103 sends."""
    fields = {"host": host, "accept": "*/*", "accept-encoding": "gzip"}
    if token is not None:
        fields["authorization"] = f"token {SECRETS.get(token, token)}"
    fields.update(headers)
    encoded = tuple((name.encode(), value.encode()) for name, value in fields.items() if value)
    return Request(method, host, target, encoded, body)
