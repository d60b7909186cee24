"""libp2p is importable as it is installed: without compilers, without what has no wheels."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from gh_p2pcache.peer import packages
from gh_p2pcache.peer.stand_ins import varint
from gh_p2pcache.peer.stand_ins.baseconv import BaseConverter

_EVERYTHING = """
import sys
sys.path.insert(0, sys.argv[1])
from gh_p2pcache.peer import packages
packages.reach()
import libp2p, libp2p.bitswap, libp2p.discovery.mdns.mdns, libp2p.pubsub.gossipsub
import libp2p.security.noise.transport, libp2p.stream_muxer.yamux.yamux
libp2p.new_host(libp2p.generate_new_ed25519_identity())
"""


def test_libp2p_comes_up_with_the_stand_ins() -> None:
    root = str(Path(packages.__file__).parents[2])
    subprocess.run([sys.executable, "-I", "-c", _EVERYTHING, root], check=True, timeout=60)


@given(st.integers(0, (1 << 70) - 1), st.binary())
def test_a_varint_is_read_as_it_was_written_and_no_further(number: int, rest: bytes) -> None:
    stream = BytesIO(varint.encode(number) + rest)
    assert varint.decode_stream(stream) == number
    assert stream.read() == rest


def test_varints_are_those_of_the_specification() -> None:
    written = {1: "01", 127: "7f", 128: "8001", 255: "ff01", 300: "ac02", 16384: "808001"}
    assert {n: varint.encode(n).hex() for n in written} == written


@pytest.mark.parametrize(("data", "error"), [(b"", EOFError), (b"\x80", EOFError),
                                             (b"\x80" * 1000, ValueError)])  # fmt: skip
def test_a_varint_without_an_end_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        varint.decode_bytes(data)


@given(st.binary(min_size=1).filter(lambda data: data[0] != 0))
def test_numbers_are_written_as_multibase_has_them(data: bytes) -> None:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    number = int.from_bytes(data, "big")
    assert "k" + BaseConverter(digits).encode(number) == multibase.encode(data, "base36")
