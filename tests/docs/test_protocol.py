"""docs/protocol.md names every message, field and limit of the code; its recipes give its bytes."""

import hashlib
import hmac
import re
import struct
from collections.abc import Mapping
from importlib import import_module

import msgpack  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gh_p2pcache.peer import messages as m
from gh_p2pcache.peer import packages, rates
from gh_p2pcache.peer.ledger import print_of
from gh_p2pcache.peer.membership import Handshake
from gh_p2pcache.peer.messages import Kinds, Tombstone
from gh_p2pcache.peer.topic import Topic
from gh_p2pcache.records.record import Record, Validation
from gh_p2pcache.records.seal import team_keys
from gh_p2pcache.records.sign import (
    Signer,
    check_record,
    check_validation,
    peer_id,
    sign_validation,
)
from support.messages import ROOT

PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")

SECTIONS: Mapping[str, Kinds] = {
    "Membership": {**m.MEMBER, **m.CONTROL},
    "Gossip": m.GOSSIP,
    "Anti-entropy": m.SYNC,
    "The owner": m.ASK,
    "Blobs": m.FETCH,
    "To the peer process": m.TO_PEER,
    "To the gateway": m.TO_GATEWAY,
}
SPEAKERS = (
    "anti_entropy", "clock", "exchange", "fields", "frames", "gossip", "index", "leases",
    "local_messages", "membership", "outbox", "owner", "replica", "search", "speech", "sulks",
    "sync", "wire_messages",
)  # fmt: skip
UNITS = {"": 1, "s": 1, "KiB": 1 << 10, "MiB": 1 << 20}
EXAMPLES = dict(
    re.findall(r"^\| (.+?) \| `([^`]+)` \|$", PAGE[PAGE.index("## Examples") :], re.MULTILINE)
)


def section(title: str) -> str:
    """The text from a heading that begins so to the next one."""
    (found,) = re.findall(rf"^##+ {title}.*\n((?:(?!##).*\n)+)", PAGE, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("title", SECTIONS)
def test_every_message_has_its_fields(title: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\| .* \|$", section(title), re.MULTILINE)
    told = {kind: set(re.findall(r"`(\w+)`", fields)) for kind, fields in rows}
    spoken = {kind: set(vars(made)["__match_args__"]) for kind, made in SECTIONS[title].items()}
    assert told == spoken


def test_every_protocol_is_named() -> None:
    packages.reach()
    places = {
        "anti_entropy": "PROTOCOL",
        "exchange": "PROTOCOL",
        "gossip_router": "PROTOCOL",
        "host": "MEMBER_PROTOCOL",
        "owner": "PROTOCOL",
    }
    spoken = {
        str(getattr(import_module(f"gh_p2pcache.peer.{where}"), name))
        for where, name in places.items()
    }
    assert spoken | {"/multistream/1.0.0", "/noise", "/yamux/1.0.0"} == set(
        re.findall(r"`(/[a-z0-9-]+(?:/[a-z0-9.-]+)*)`", section("Layers"))
    )
    assert spoken == set(re.findall(r"^## .*: `(/\S+)`$", PAGE, re.MULTILINE))


def test_every_limit_is_what_the_code_says() -> None:
    packages.reach()
    rows = re.findall(r"^\| .* \| ([\d.]+) ?(\w*) \| `(\w+)\.(\w+)` \|$", PAGE, re.MULTILINE)
    told = {(where, name): float(n) * UNITS[unit] for n, unit, where, name in rows}
    assert len(told) > 40
    assert told == {
        (where, name): getattr(import_module(f"gh_p2pcache.peer.{where}"), name)
        for where, name in told
    }
    public = {
        (where, name)
        for where in SPEAKERS
        for name, value in vars(import_module(f"gh_p2pcache.peer.{where}")).items()
        if name.isupper() and not name.startswith("_") and type(value) in {int, float}
    }
    in_words = {"RUBBISH", "ID_SIZE", "KEY_SIZE", "SIGNATURE_SIZE", "MAX_LIFETIME"}
    assert {name for _, name in public} - {name for _, name in told} == in_words


def test_every_rate_is_what_the_code_says() -> None:
    rows = re.findall(r"^\| `(\w+)`.* \| ([\d.]+) \| ([\d.]+) \|$", section("Limits"), re.MULTILINE)
    assert {what: (float(rate), float(most)) for what, rate, most in rows} == rates._RATES


# ---- the recipes of the page, written down here without the code's help

SIGNER = Signer(bytes([2]) * 32)
REQUEST, DIGEST, DATE, TTL = bytes([1]) * 32, bytes([5]) * 32, 1_700_000_000, 300.0


def derived(name: str, length: int = 32) -> bytes:
    scope_key = hashlib.pbkdf2_hmac(
        "sha256", b"p2pcache_example", b"gh-p2pcache/1/generated", 100_000
    )
    info = b"gh-p2pcache/1/" + name.encode()
    return HKDF(SHA256(), length, salt=None, info=info).derive(scope_key)


def named(use: bytes, what: bytes) -> bytes:
    return hmac.digest(derived("lookup"), use + b"\0" + what, "sha256")[:16]


def proof_of_the_dialler() -> bytes:
    own, other = peer_id(SIGNER.public), peer_id(Signer(bytes([6]) * 32).public)
    nonces = bytes([3]) * 32 + bytes([4]) * 32
    text = b"\0".join((b"gh-p2pcache member 1", b"dialer", nonces, own.encode(), other.encode()))
    return hmac.digest(derived("member"), text, "sha256")


def validation_text() -> bytes:
    scope, tag = derived("id", 8), named(b"tag", REQUEST).hex()
    times = struct.pack(">Qd", DATE, TTL)
    head = b"gh-p2pcache validation\0"
    return head + scope + tag.encode() + DIGEST + times + SIGNER.public


def test_the_examples_follow_from_the_recipes() -> None:
    mark = named(b"pseudonym", b"tag repo:github.com/acme/site")
    scope, tag = derived("id", 8), named(b"tag", REQUEST).hex()
    own = peer_id(SIGNER.public)
    row_print = hashlib.sha256(msgpack.packb([mark, DATE])).digest()[:8]
    signature = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32).sign(validation_text())
    assert {
        "scope id": scope.hex(),
        "tag": tag,
        "mark of `repo:github.com/acme/site`": mark.hex(),
        "topic": hmac.digest(derived("topic"), b"topic", "sha256").hex(),
        "fingerprint on the LAN": hmac.digest(
            derived("member"), b"gh-p2pcache mdns", "sha256"
        ).hex()[:12],
        "peer id": own,
        "proof of the dialler, to the identity of seed 06": proof_of_the_dialler().hex(),
        "weight of the peer for that tag": hashlib.sha256(
            scope + tag.encode() + own.encode()
        ).hexdigest(),
        "signature of a validation, date 1700000000, ttl 300": signature.hex(),
        "fingerprint of a tombstone of that mark, date 1700000000": row_print.hex(),
    } == EXAMPLES


def test_the_code_follows_the_recipes() -> None:
    keys = team_keys("p2pcache_example")
    other = Handshake(
        peer_id(Signer(bytes([6]) * 32).public),
        peer_id(SIGNER.public),
        {keys.id: keys.member_key},
        dialer=False,
        nonce=bytes([4]) * 32,
    )
    assert other.common(m.Challenge(bytes([3]) * 32), [proof_of_the_dialler()]) == {keys.id}
    assert keys.tag(REQUEST) == EXAMPLES["tag"]
    mark = keys.pseudonym(b"tag repo:github.com/acme/site")
    assert mark.hex() == EXAMPLES["mark of `repo:github.com/acme/site`"]
    assert Topic(keys.id, keys.topic_key).name == EXAMPLES["topic"]
    prints = "fingerprint of a tombstone of that mark, date 1700000000"
    assert print_of(Tombstone(mark, DATE)).hex() == EXAMPLES[prints]
    signed = sign_validation(SIGNER, keys.id, keys.tag(REQUEST), Validation(DIGEST, DATE, 0.0, TTL))
    signature = EXAMPLES["signature of a validation, date 1700000000, ttl 300"]
    assert signed.signature.hex() == signature
    check_validation(keys.id, keys.tag(REQUEST), signed)


def test_a_record_is_signed_as_the_page_says() -> None:
    (order,) = re.findall(r"a msgpack array of ([^.]+)\.", PAGE)
    names = [name.strip() for name in re.sub(r"\s+", " ", order).split(",")]
    values = {
        "key": REQUEST, "method": "GET", "host": "api.github.com", "target": "/user",
        "status": 200, "headers": ((b"etag", b'"x"'),), "body": b"{}", "github_date": DATE,
        "fetched_at": 1.5, "scope": derived("id", 8), "tags": ("a",), "publisher": bytes(16),
        "access": "github.com/acme/site issues", "signer": SIGNER.public,
    }  # fmt: skip
    signed_values = {**values, "SHA-256 of the body": hashlib.sha256(b"{}").digest()}
    text = b"gh-p2pcache record\0" + msgpack.packb([signed_values[name] for name in names])
    check_record(Record(**values, signature=SIGNER.sign(text)))  # type: ignore[arg-type]
