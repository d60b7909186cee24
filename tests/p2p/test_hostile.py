"""A hostile peer against two real daemons: nothing wrong is served, and the honest go on."""

from __future__ import annotations

import gzip
import itertools
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gh_p2pcache.peer.frames import encode
from gh_p2pcache.peer.messages import Fetch, Tombstone, frame
from gh_p2pcache.peer.wire import PeerError
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.records.record import unpack
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.store.shared import read_shared
from support.engine import request_of
from support.hostile import (
    ASKING,
    FETCHING,
    GOSSIP,
    MEMBERSHIP,
    SYNCING,
    Goods,
    Hostile,
    delimited,
    envelope,
    forged,
)
from support.sim import SimProcess
from support.team import PATIENT, Daemon, meet, wait
from support.wait import until

MOST_MEMORY = 150 << 10
"""kB that the peer process may ever have had: it has 85 MB with nothing to do."""
LIE = gzip.compress(b'[{"title":"forged"}]')
ISSUES = "/repos/acme/widgets/issues"
PROTOCOLS = (MEMBERSHIP, FETCHING, ASKING, SYNCING)


class Pair:
    """Two daemons of a team, and questions that nobody has asked them yet."""

    def __init__(self, one: Daemon, two: Daemon, sim: SimProcess) -> None:
        self.one, self.two, self.sim = one, two, sim
        self._numbers = itertools.count()
        self.pids = self._pids()

    def _pids(self) -> list[int]:
        return [daemon.pid("peer") for daemon in (self.one, self.two)]

    def fresh(self, path: str = ISSUES) -> str:
        return f"{path}?per_page=5&fresh={next(self._numbers)}"

    def truth(self, target: str) -> bytes:
        return self.sim.request("GET", target, token="alice")[2]

    def is_told_the_truth(self, target: str, door: str = "ttl") -> None:
        given = self.two.ask(target, door=door)
        assert (given.status, given.plain) == (200, self.truth(target))

    def record(self, keys: ScopeKeys, target: str) -> Goods:
        """Have the first machine ask; return what it shares of the answer."""
        self.one.ask(target)
        tag = keys.tag(key_of(target))
        shared = until(lambda: read_shared(self.one.root / "cache/records", keys.id, tag))
        return Goods(tag, shared.validation, shared.blob)

    def lies(self, hostile: Hostile, targets: Sequence[str], **changes: object) -> list[Goods]:
        """Return records of these targets that GitHub never gave, signed by the hostile one."""
        real = unpack(hostile.keys.open(self.record(hostile.keys, self.fresh()).blob))
        made = [
            forged(
                hostile.signer,
                hostile.keys,
                replace(real, key=key_of(target), target=target, body=LIE, **changes),  # type: ignore[arg-type]
            )
            for target in targets
        ]
        hostile.goods |= {goods.tag: goods for goods in made}
        return made

    def is_sound(self) -> None:
        """What one knows the other gets from it, in the processes of before, which are small."""
        until(self._shares, what="the honest one to be served")
        assert self._pids() == self.pids
        for pid in self.pids:
            assert peak(pid) < MOST_MEMORY

    def _shares(self) -> bool:
        target = self.fresh()
        truth = self.one.ask(target).plain
        assert truth == self.truth(target)
        given = self.two.ask(target)
        assert given.plain == truth
        return given.source == "PEER" and self.one.id in given.field("cache-status")


def peak(pid: int) -> int:
    """Return the most memory that a process has had, in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def key_of(target: str) -> bytes:
    return plan(request_of(target)).key


@pytest.fixture(scope="module")
def machines(sim_factory: Callable[[], SimProcess]) -> Iterator[Pair]:
    sim = sim_factory()
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:
        one = Daemon(Path(folder) / "0", sim, PATIENT)
        two = Daemon(Path(folder) / "1", sim, {"CACHE_BOOTSTRAP_PEERS": one.addr, **PATIENT})
        try:
            one.start()
            two.start()
            meet(one, two)
            one.ask(ISSUES)
            wait(lambda: two.total("peer_proofs"), 30, two)
            yield Pair(one, two, sim)
        finally:
            two.stop()
            one.stop()


@pytest.fixture
def pair(machines: Pair) -> Iterator[Pair]:
    yield machines
    machines.is_sound()


@pytest.fixture
def hostile(pair: Pair) -> Iterator[Hostile]:
    """A member that has joined the second machine."""
    with Hostile() as one:
        one.join(pair.two)
        yield one


# ---- strangers


def test_nothing_but_noise_is_spoken(pair: Pair) -> None:
    hello = delimited(b"/multistream/1.0.0\n")
    for protocol in (b"/plaintext/2.0.0\n", b"/secio/1.0.0\n", b"/tls/1.0.0\n"):
        with socket.create_connection(("127.0.0.1", pair.two.port), timeout=10) as stranger:
            stranger.sendall(hello + delimited(protocol))
            heard = b""
            while not heard.endswith(b"na\n"):
                piece = stranger.recv(4096)
                assert piece, heard
                heard += piece
    assert heard == hello + delimited(b"na\n")


def test_who_has_another_key_gets_nothing(pair: Pair) -> None:
    with Hostile("p2pcache_another") as stranger, Hostile() as member:
        goods = pair.record(member.keys, pair.fresh())
        with pytest.raises(PeerError, match="no member"):
            stranger.join(pair.one)
        wanted = frame(Fetch(member.keys.id, goods.tag, goods.validation.digest))
        member.join(pair.one)
        assert goods.blob in member.talk(pair.one, FETCHING, wanted)
        assert stranger.strangers_talk(pair.one, FETCHING, wanted) == b""
        assert stranger.id not in str(pair.one.peers())


def test_three_hundred_connections(pair: Pair) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            stranger = socket.create_connection(("127.0.0.1", pair.two.port), timeout=10)
            stack.enter_context(stranger)
        pair.is_sound()
    with Hostile() as newcomer:
        until(lambda: joined(newcomer, pair.two), what="the door to be open again")


def joined(one: Hostile, daemon: Daemon) -> bool:
    try:
        one.join(daemon)
    except PeerError:
        return False
    return True


# ---- members that lie


def test_a_forger_is_found_banned_and_what_it_published_dropped(
    pair: Pair, hostile: Hostile
) -> None:
    targets = [pair.fresh() for _ in range(5)]
    hostile.claim(pair.two, pair.lies(hostile, targets))
    for target in targets[:3]:
        pair.is_told_the_truth(target, door="exact")
    assert len(hostile.asked) == 3
    wait(lambda: hostile.is_banned(pair.two), 30, pair.two)
    (told,) = (peer for peer in pair.two.peers()["peers"] if peer["id"] == hostile.id)
    assert told["why"] == "signs what GitHub does not confirm"
    pair.is_told_the_truth(targets[3])
    assert len(hostile.asked) == 3
    until(lambda: not hostile.is_connected(pair.two))
    with pytest.raises(PeerError):
        hostile.join(pair.two)


def test_a_forger_is_found_by_samples_and_its_lies_are_dropped(
    pair: Pair, hostile: Hostile
) -> None:
    # One in 20 answers is compared: 200 without any is one run in 30,000.
    targets = [pair.fresh() for _ in range(200)]
    hostile.claim(pair.two, pair.lies(hostile, targets))
    believed = []
    for target in targets:
        if b"forged" in pair.two.ask(target).plain:
            believed.append(target)
        if hostile.is_banned(pair.two):
            break
    assert believed, "nothing was believed: this test tests nothing"
    wait(lambda: hostile.is_banned(pair.two), 30, pair.two)
    for target in believed:
        told = pair.two.ask(target, headers={"X-P2PCache-Mode": "explain"}).json
        if told["peer"] is not None:  # else it was the sample, and GitHub's answer is held instead
            assert told["peer"]["id"] == hostile.id
            assert told["peer"]["banned"]
            assert not told["held"]["alive"]
    for target in (*believed, targets[-1]):
        pair.is_told_the_truth(target)


def test_in_exact_even_what_cannot_change_is_compared_first(pair: Pair, hostile: Hostile) -> None:
    sha = pair.one.ask("/repos/acme/widgets/git/ref/heads/main").json["object"]["sha"]
    pair.two.ask("/repos/acme/widgets/commits")
    number = itertools.count()

    def is_asked() -> bool:  # within 150 ms, which a busy machine takes for less
        target = f"/repos/acme/widgets/git/commits/{sha}?number={next(number)}"
        real = unpack(hostile.keys.open(pair.record(hostile.keys, target).blob))
        lie = forged(hostile.signer, hostile.keys, replace(real, body=LIE, github_date=now()))
        hostile.goods[lie.tag] = lie
        hostile.claim(pair.two, [lie])
        pair.is_told_the_truth(target, door="exact")
        return lie.tag in hostile.asked

    until(is_asked)


@pytest.mark.parametrize("what", ["unsigned", "another's", "redated", "unsigned record"])
def test_what_is_not_signed_as_it_is_given_is_refused(
    pair: Pair, hostile: Hostile, what: str
) -> None:
    targets = [pair.fresh() for _ in range(12)]
    for goods in pair.lies(hostile, targets):
        bad = spoilt(goods, what, pair, hostile)
        hostile.goods[bad.tag] = bad
    hostile.claim(pair.two, hostile.goods.values())
    for target in targets:
        pair.is_told_the_truth(target)
    assert hostile.asked
    wait(lambda: hostile.is_banned(pair.two), 30, pair.two)


def spoilt(goods: Goods, what: str, pair: Pair, hostile: Hostile) -> Goods:
    validation = goods.validation
    if what == "unsigned":
        return replace(goods, validation=replace(validation, signature=bytes(64)))
    if what == "another's":
        honest = pair.record(hostile.keys, pair.fresh()).validation.signer
        return replace(goods, validation=replace(validation, signer=honest))
    if what == "redated":
        return replace(goods, validation=replace(validation, github_date=now() + 5))
    record = unpack(hostile.keys.open(goods.blob))
    return forged(hostile.signer, hostile.keys, record, unsigned=True)


def test_another_blob_than_was_announced_gets_its_sender_banned(
    pair: Pair, hostile: Hostile
) -> None:
    targets = [pair.fresh() for _ in range(4)]
    for goods in pair.lies(hostile, targets):
        other = bytes([*goods.blob[:-1], goods.blob[-1] ^ 1])
        hostile.goods[goods.tag] = replace(goods, blob=other)
    hostile.claim(pair.two, hostile.goods.values())
    for target in targets:
        pair.is_told_the_truth(target)
    wait(lambda: hostile.is_banned(pair.two), 30, pair.two)


def test_what_is_said_of_an_honest_holder_takes_nothing_from_it(
    pair: Pair, hostile: Hostile
) -> None:
    def shared_all_the_same() -> bool:
        target = pair.fresh()
        real = pair.record(hostile.keys, target)
        later = replace(real.validation, github_date=real.validation.github_date + 9)
        hostile.claim(pair.two, [replace(real, validation=later)], holder=pair.one.id)
        given = pair.two.ask(target)
        assert given.plain == pair.truth(target)
        return given.source == "PEER"

    until(shared_all_the_same)


def test_an_old_record_that_is_played_again_stays_dead(pair: Pair, hostile: Hostile) -> None:
    target = "/repos/acme/many/issues/7"
    old = pair.record(hostile.keys, target)
    written = pair.two.ask(target, method="PATCH", body=b'{"title": "written"}')
    assert written.status == 200
    hostile.goods[old.tag] = old
    hostile.claim(pair.two, [old])
    for _ in range(2):
        assert pair.two.ask(target).json["title"] == "written"
    until(lambda: pair.one.ask(target).json["title"] == "written", seconds=10)


def test_what_is_dated_in_the_future_is_not_asked_for(pair: Pair, hostile: Hostile) -> None:
    targets = [pair.fresh() for _ in range(2)]
    hostile.claim(pair.two, pair.lies(hostile, targets, github_date=now() + 3600))
    for target in targets:
        pair.is_told_the_truth(target)
    assert not hostile.asked


# ---- members that flood


def test_ten_thousand_announcements_a_second(pair: Pair, hostile: Hostile) -> None:
    (lie,) = pair.lies(hostile, [pair.fresh()])
    began, sent = time.monotonic(), 0
    while time.monotonic() - began < 3:
        rows = [lie.row._replace(tag=os.urandom(16)) for _ in range(1000)]
        hostile.gossip(*rows)
        sent += len(rows)
    assert sent / 3 > 10_000
    pair.is_sound()


def test_ten_thousand_messages_get_their_sender_banned(pair: Pair, hostile: Hostile) -> None:
    one = envelope(hostile.topic, key=b"", sender=b"x" * 38, signature=bytes(64))
    hostile.say(pair.two, GOSSIP, one * 10_000)
    wait(lambda: hostile.is_banned(pair.two), 30, pair.two)


def test_a_flood_of_tombstones(pair: Pair, hostile: Hostile) -> None:
    date = now() - 60
    hostile.bury(pair.two, (Tombstone(os.urandom(16), date) for _ in range(20_000)))
    hostile.bury(pair.two, [Tombstone(os.urandom(16), 1 << 40)])
    pair.is_sound()


# ---- members that speak rubbish


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_frame_of_a_gigabyte(pair: Pair, hostile: Hostile, protocol: str) -> None:
    begun = struct.pack(">I", 1 << 30) + b"x" * 9000
    for _ in range(11):
        if hostile.is_connected(pair.two):
            assert hostile.talk(pair.two, protocol, begun, end=False) == b""
    if protocol != MEMBERSHIP:
        wait(lambda: hostile.is_banned(pair.two), 30, pair.two)


def test_messages_of_another_version_are_held_against_nobody(pair: Pair, hostile: Hostile) -> None:
    later = encode({"t": "later", "x": [1, 2, 3]}, 1 << 16)
    for protocol in PROTOCOLS:
        hostile.talk(pair.two, protocol, later)
    (told,) = (peer for peer in pair.two.peers()["peers"] if peer["id"] == hostile.id)
    assert told["score"] == 0


def test_streams_that_say_nothing_keep_nobody_waiting(pair: Pair, hostile: Hostile) -> None:
    def silent(protocol: str) -> None:
        hostile.start(hostile._talk, pair.two, protocol, b"\0\0", False)

    for _ in range(100):
        for protocol in PROTOCOLS:
            silent(protocol)
    pair.is_sound()
    until(lambda: hostile.busy == 0, seconds=20, what="every stream to be ended")


def test_envelopes_of_gossip_that_no_library_makes(pair: Pair, hostile: Hostile) -> None:
    topic = hostile.topic
    rubbish = [
        os.urandom(500),
        delimited(os.urandom(500)),
        delimited(b""),
        b"\xff" * 12,
        *(
            envelope(topic, key=key, sender=sender, signature=signature)
            for key in (b"", b"garbage", os.urandom(36))
            for sender in (b"", b"x", os.urandom(38), os.urandom(5000))
            for signature in (b"", os.urandom(64))
        ),
        envelope("", key=b"", sender=b"", signature=b""),
        envelope("another topic", key=b"", sender=b"", signature=b""),
        envelope(topic, key=b"", sender=b"", signature=b"", data=bytes(1_100_000)),
    ]
    for data in rubbish:
        if hostile.is_connected(pair.two):
            hostile.say(pair.two, GOSSIP, data)


def now() -> int:
    return int(time.time())
