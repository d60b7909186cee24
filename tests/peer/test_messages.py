import contextlib
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer import messages as m
from gh_p2pcache.peer.frames import LOCAL_LIMIT, Decoder, pack, unpack

SCOPE, TAG = b"scope id", "ab" * 16
PEER = "12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8"
VALIDATION = m.SignedValidation(
    SCOPE, TAG, b"d" * 32, 1_790_000_000, 300.0, 2000, b"k" * 32, b"s" * 64
)
STAMP = (b"d" * 32, 1_790_000_000, 300.0, b"k" * 32, b"s" * 64)
EXAMPLES: list[tuple[m.Message, m.Kinds]] = [
    (
        m.Hello(
            scopes=(m.ScopeGrant(SCOPE, b"m" * 32, b"t" * 32, "acme"),),
            port=9100,
            bootstrap=(f"/ip4/192.0.2.1/tcp/9100/p2p/{PEER}",),
            mdns=True,
            keeper=False,
            max_blob=8 << 20,
            banned=(b"b" * 32,),
        ),
        m.TO_PEER,
    ),
    (m.Find(7, SCOPE, TAG, b"", 0, 0.15), m.TO_PEER),
    (m.Release(SCOPE, TAG), m.TO_PEER),
    (VALIDATION, m.TO_PEER),
    (m.Bury(SCOPE, (b"m" * 16,), 0), m.TO_PEER),
    (m.Proofs(SCOPE, (m.Proof(b"w" * 16, b"r" * 16, 1_790_000_000),)), m.TO_PEER),
    (m.Ban(b"k" * 32, "forged"), m.TO_PEER),
    (m.Lift(b"k" * 32), m.TO_PEER),
    (m.Dial(8, "/ip4/192.0.2.1/tcp/9100"), m.TO_PEER),
    (m.StatusRequest(9), m.TO_PEER),
    (m.Members(3, 1, 9100, (SCOPE,)), m.TO_GATEWAY),
    (m.Buried(SCOPE, (m.Tombstone(b"m" * 16, 5),)), m.TO_GATEWAY),
    (m.Waiting(7), m.TO_GATEWAY),
    (m.Found(7, *STAMP, PEER, b"blob"), m.TO_GATEWAY),
    (m.Nobody(7, yours=True), m.TO_GATEWAY),
    (m.Nobody(7, yours=False, known=VALIDATION), m.TO_GATEWAY),
    (m.Keep(SCOPE, TAG, *STAMP, PEER, b"blob"), m.TO_GATEWAY),
    (
        m.StatusReport(
            n=9,
            peers=(
                m.PeerStatus(PEER, (), 1.0, ("acme",), 0.004, 1, 2, 3, 4, -5.0, False, "", True),
            ),
            addrs=("/ip4/192.0.2.2/tcp/9100",),
            port=9100,
            id=PEER,
            mdns=True,
            problems=("the clock is wrong",),
            nat="",
        ),
        m.TO_GATEWAY,
    ),
    (m.Dialed(8, ok=False, why="nobody answers"), m.TO_GATEWAY),
    (m.Challenge(b"n" * 32), m.MEMBER),
    (m.Membership((b"h" * 32,)), m.MEMBER),
    (m.PeerExchange((m.PeerAddresses(PEER, ("/ip4/192.0.2.2/tcp/9100",)),)), m.CONTROL),
    (m.Whereabouts(accepting=True, keeper=False, port=9100), m.CONTROL),
    (m.Reachable("/ip4/192.0.2.2/tcp/9100"), m.CONTROL),
    (m.Fetch(SCOPE, TAG, b"d" * 32), m.FETCH),
    (m.BlobHeader(2000, *STAMP[1:]), m.FETCH),
    (m.Nothing(), m.FETCH),
    (m.Ask(SCOPE, TAG, 5), m.ASK),
    (m.Held((m.Claim(PEER, VALIDATION.row()),)), m.ASK),
    (m.Fetching(), m.ASK),
    (m.Yours(), m.ASK),
    (m.Compare(SCOPE, (bytes(512),) * 3, (m.Undecided(b"m" * 16, 59),)), m.SYNC),
    (m.Differ((bytes(8),) * 3, (b"p" * 16, b"", b"p" * 8), (), (True, False, False)), m.SYNC),
    (
        m.Give(
            SCOPE, b"p" * 8, (m.Tombstone(b"m" * 16, 5),), (), (m.Claim(PEER, VALIDATION.row()),)
        ),
        m.SYNC,
    ),
    (m.Given(proofs=(m.Proof(b"w" * 16, b"r" * 16, 5),)), m.SYNC),
    (
        m.Batch(
            (VALIDATION.row(),),
            (m.Tombstone(b"m" * 16, 5),),
            (b"m" * 16,),
            (m.Proof(b"w" * 16, b"r" * 16, 5),),
        ),
        m.GOSSIP,
    ),
]
ALL_KINDS = [m.TO_PEER, m.TO_GATEWAY, m.MEMBER, m.CONTROL, m.FETCH, m.ASK, m.SYNC, m.GOSSIP]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary(max_size=70)
    | st.sampled_from([bytes(8), bytes(16), bytes(32), bytes(64), bytes(512)])
    | st.text(max_size=40)
    | st.sampled_from([TAG, PEER, "/ip4/192.0.2.1", "/", ""]),
    lambda inner: (
        st.lists(inner, max_size=8).map(tuple)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)


def said(message: m.Message) -> dict[str, object]:
    return unpack(pack(m.as_fields(message)))


def names(examples: list[tuple[m.Message, m.Kinds]]) -> list[str]:
    return [type(message).__name__ for message, _ in examples]


def test_every_message_has_an_example_here():
    expected = {message for kinds in ALL_KINDS for message in kinds.values()}
    assert {type(message) for message, _ in EXAMPLES} == expected


@pytest.mark.parametrize(("message", "kinds"), EXAMPLES, ids=names(EXAMPLES))
def test_a_message_arrives_as_it_was_sent(message, kinds):
    (fields,) = Decoder(LOCAL_LIMIT).feed(m.frame(message))
    assert m.parse(fields, kinds) == message


@pytest.mark.parametrize(("message", "kinds"), EXAMPLES, ids=names(EXAMPLES))
def test_fields_of_a_later_version_are_ignored(message, kinds):
    assert m.parse({**said(message), "later": (1, {"x": b""})}, kinds) == message


def test_rows_of_a_later_version_are_cut_to_what_is_known():
    fields = {"t": "batch", "tombstones": ((b"m" * 16, 5, "later"),)}
    assert m.parse(fields, m.GOSSIP) == m.Batch(tombstones=(m.Tombstone(b"m" * 16, 5),))


def test_a_message_of_a_later_version_or_of_another_place_is_unknown():
    assert m.parse({"t": "novelty", "x": 1}, m.TO_PEER) == m.Unknown("novelty")
    assert m.parse(said(m.Yours()), m.FETCH) == m.Unknown("yours")


@pytest.mark.parametrize("kind", [None, 5, b"find", (), "x" * 33])
def test_a_map_that_does_not_say_what_it_is_is_rejected(kind):
    with pytest.raises(RejectedError):
        m.parse({"t": kind}, m.TO_PEER)


@given(st.sampled_from(EXAMPLES), st.data())
def test_any_values_are_judged(example, data):
    """What is let through is sound: it can be sent on, and arrives as the same again."""
    message, kinds = example
    fields = said(message)
    for name in data.draw(st.sets(st.sampled_from(sorted(fields)), min_size=1)):
        if data.draw(st.booleans()):
            fields[name] = data.draw(ANYTHING)
        else:
            del fields[name]
    try:
        parsed = m.parse(fields, kinds)
    except RejectedError:
        return
    if not isinstance(parsed, m.Unknown):
        assert m.parse(said(parsed), kinds) == parsed


@given(st.dictionaries(st.text(max_size=8), ANYTHING), st.sampled_from(ALL_KINDS), st.data())
def test_any_map_is_a_message_or_rejected(fields, kinds, data):
    fields["t"] = data.draw(st.sampled_from(sorted(kinds)))
    with contextlib.suppress(RejectedError):
        assert isinstance(m.parse(fields, kinds), kinds[fields["t"]])


NAN = float("nan")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scope": bytes(7)}, VALIDATION),
        ({"tag": TAG.upper()}, VALIDATION),
        ({"tag": TAG[:-1] + "é"}, VALIDATION),
        ({"digest": bytes(31)}, VALIDATION),
        ({"date": 0}, VALIDATION),
        ({"date": -1}, VALIDATION),
        ({"date": True}, VALIDATION),
        ({"date": 2**41}, VALIDATION),
        ({"ttl": NAN}, VALIDATION),
        ({"ttl": float("inf")}, VALIDATION),
        ({"ttl": -1}, VALIDATION),
        ({"size": 0}, VALIDATION),
        ({"size": 1 << 30}, VALIDATION),
        ({"signature": b""}, VALIDATION),
        ({"signer": ""}, VALIDATION),
        ({"marks": ()}, m.Bury(SCOPE, (b"m" * 16,), 0)),
        ({"marks": (b"m" * 16,) * 1025}, m.Bury(SCOPE, (b"m" * 16,), 0)),
        ({"deadline": NAN}, m.Find(7, SCOPE, TAG, b"", 0, 0.15)),
        ({"addr": "/ip4/192.0.2.1\x1b[2J"}, m.Dial(8, "/ip4/192.0.2.1")),
    ],
)
def test_values_that_cannot_be_are_rejected(changes, message):
    with pytest.raises(RejectedError, match=next(iter(changes))):
        m.parse({**said(message), **changes}, m.TO_PEER)


def test_a_batch_of_more_than_1024_announcements_is_rejected():
    row = tuple(VALIDATION.row())
    assert m.parse({"t": "batch", "announcements": (row,) * 1024}, m.GOSSIP)
    with pytest.raises(RejectedError):
        m.parse({"t": "batch", "announcements": (row,) * 1025}, m.GOSSIP)


def test_waits_are_clamped_and_words_lose_what_a_terminal_would_obey():
    find = m.parse({**said(m.Find(7, SCOPE, TAG, b"", 0, 0.1)), "deadline": 1e9}, m.TO_PEER)
    assert isinstance(find, m.Find)
    assert find.deadline == 10.0
    ban = m.parse({**said(m.Ban(b"k" * 32, "")), "why": "a\x1b[2J\n" + "b" * 999}, m.TO_PEER)
    assert isinstance(ban, m.Ban)
    assert ban.why.startswith("a [2J b")
    assert len(ban.why) == 500


def test_who_reads_messages_needs_neither_libp2p_nor_trio():
    """The gateway reads them too, and must run where only the base is installed."""
    code = "import gh_p2pcache.peer.messages, sys; print(*sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert not {"trio", "libp2p", "multiaddr"} & {name.split(".")[0] for name in output.split()}
