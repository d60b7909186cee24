"""Ports for what must know its own before it listens."""

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """Return a port that is free, and stays so: what systems give to connections lies above."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
