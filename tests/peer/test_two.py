"""Peer processes as the supervisor runs them, each with a gateway of a few lines."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import trio

from gh_p2pcache.peer.messages import (
    Ban,
    Buried,
    Bury,
    Dial,
    Dialed,
    Find,
    Found,
    Hello,
    Lift,
    Nobody,
    Proof,
    Proofs,
    SignedValidation,
    Tombstone,
)
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.seal import derive
from gh_p2pcache.records.sign import Signer, sign_validation
from gh_p2pcache.store import head
from gh_p2pcache.store.identity import load_identity
from support.network import grant, trial, until
from support.peer_process import Peer, peer_process
from support.ports import free_port

KEYS = derive(b"a team's secret", "generated")
SCOPE = replace(grant("team"), id=KEYS.id)
TAG = "0123456789abcdef" * 2
DATE = int(time.time()) - 60


def hello(*bootstrap: str, port: int = 0) -> Hello:
    return Hello(
        scopes=(SCOPE,),
        port=port or free_port(),
        bootstrap=bootstrap,
        mdns=False,
        keeper=False,
        max_blob=8 << 20,
    )


def keep(peer: Peer, plain: bytes) -> SignedValidation:
    """Put a shared record where the gateway would, and return its announcement."""
    blob = KEYS.seal(plain)
    signer: Signer = load_identity(peer.home / "state")
    v = Validation(digest(blob), DATE, float(DATE), 60.0)
    v = sign_validation(signer, KEYS.id, TAG, v)
    file = peer.home / "cache" / "records" / TAG[:2] / TAG
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(head.pack_head(KEYS, TAG, v, len(blob)) + blob)
    return SignedValidation(KEYS.id, TAG, v.digest, DATE, v.ttl, len(blob), v.signer, v.signature)


async def address(peer: Peer) -> str:
    return f"/ip4/127.0.0.1/tcp/{(await peer.status()).port}"


async def find(peer: Peer, n: int) -> Found | Nobody:
    await peer.say(Find(n, KEYS.id, TAG, b"", 0, 1.0))
    with trio.fail_after(20):
        while True:
            for message in peer.said:
                if isinstance(message, (Found, Nobody)) and message.n == n:
                    return message
            await trio.sleep(0.005)


@trial
async def test_what_one_gateway_keeps_the_other_finds() -> None:
    async with peer_process(hello()) as a, peer_process(hello(await address(a))) as b:
        await until(lambda: a.members == b.members == 1)
        announcement = keep(a, b"x" * 1_000_000)
        await a.say(announcement)
        n = 1
        while isinstance(found := await find(b, n), Nobody):
            n += 1
        assert KEYS.open(found.blob) == b"x" * 1_000_000
        assert (found.date, found.digest) == (DATE, announcement.digest)
        assert found.peer == (await a.status()).id

        await a.say(Bury(KEYS.id, (b"m" * 16,), DATE + 5))
        await a.say(Proofs(KEYS.id, (Proof(b"w" * 16, b"r" * 16, DATE),)))
        assert (await b.heard(Buried)).tombstones == (Tombstone(b"m" * 16, DATE + 5),)
        assert (await b.heard(Proofs)).items == (Proof(b"w" * 16, b"r" * 16, DATE),)

        seen = (await b.status()).peers[0]
        assert (seen.records_in, seen.accepting, seen.scopes) == (1, True, ("team",))
        assert seen.bytes_in > 1_000_000
        assert (await a.status()).peers[0].records_out == 1


@trial
async def test_a_gateway_hears_of_thousands_of_writes_each_of_its_own_date() -> None:
    rows = {Tombstone(n.to_bytes(16, "big"), DATE - n) for n in range(1, 5001)}

    def buried(peer: Peer) -> set[Tombstone]:
        return {row for said in peer.said if isinstance(said, Buried) for row in said.tombstones}

    async with trio.open_nursery() as nursery:
        same = hello()
        async with peer_process(same) as a:
            for row in rows:
                await a.say(Bury(KEYS.id, (row.mark,), row.date))
            async with peer_process(hello(await address(a))) as b:
                await until(lambda: buried(b) == rows)
            await a.greet(nursery, same)
            await until(lambda: buried(a) == rows)
            assert (await a.status()).port == same.port
        nursery.cancel_scope.cancel()


@trial
async def test_an_address_named_by_the_user_is_dialled_or_told_why_not() -> None:
    async with peer_process(hello()) as a, peer_process(hello()) as b:
        await b.say(Dial(1, await address(a)))
        assert (await b.heard(Dialed, lambda m: m.n == 1)).ok
        await until(lambda: a.members == b.members == 1)
        await b.say(Dial(2, "/ip4/127.0.0.1/tcp/1"))
        refused = await b.heard(Dialed, lambda m: m.n == 2)
        assert not refused.ok
        assert "refused" in refused.why


@trial
async def test_other_scopes_are_taken_over_by_the_same_process() -> None:
    async with trio.open_nursery() as nursery:
        async with peer_process(hello()) as a, peer_process(hello(await address(a))) as b:
            await until(lambda: a.members == b.members == 1)
            other = replace(hello(await address(a)), scopes=(grant("other"),))
            await b.say(other)
            await b.closed.wait()
            await b.greet(nursery, other)
            await until(lambda: a.members == 0)
            # It holds the same identity and answers again, as a member of nothing of a's.
            assert (await b.status()).peers == ()
            assert b.process.poll() is None
        nursery.cancel_scope.cancel()


@trial
async def test_a_member_that_is_taken_back_is_asked_for_what_it_announced_before() -> None:
    async with peer_process(hello()) as a, peer_process(hello(await address(a))) as b:
        await until(lambda: a.members == b.members == 1)
        await a.say(keep(a, b"x"))
        n = 1
        while isinstance(await find(b, n), Nobody):
            n += 1
        n += 1
        signer = load_identity(a.home / "state").public
        await b.say(Ban(signer, "a mistake"))
        await until(lambda: b.members == 0)
        await b.say(Lift(signer))
        await until(lambda: b.members == 1)
        while isinstance(await find(b, n), Nobody):
            n += 1


@trial
async def test_a_process_that_hangs_is_dropped_and_met_again() -> None:
    async with peer_process(hello()) as a, peer_process(hello(await address(a))) as b:
        await until(lambda: a.members == b.members == 1)
        b.process.send_signal(signal.SIGSTOP)
        await until(lambda: a.members == 0)
        assert isinstance(await find(a, 1), Nobody)
        b.process.send_signal(signal.SIGCONT)
        await until(lambda: a.members == b.members == 1)


@trial
async def test_a_process_that_is_killed_is_gone_at_once() -> None:
    async with peer_process(hello()) as a, peer_process(hello(await address(a))) as b:
        await until(lambda: a.members == b.members == 1)
        b.process.kill()
        await until(lambda: a.members == 0)
