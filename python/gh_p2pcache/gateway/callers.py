"""Which program asks: the one that started gh, found from the process at a socket's other end.

Of a command line only a script's or a module's name is looked at and kept: the rest may be secret.
"""

from __future__ import annotations

import re
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from gh_p2pcache.credentials import peer_pid
from gh_p2pcache.gateway.processes import Process, look

UNKNOWN = "unknown"
"""The caller where no process is found: it is gone, or lives in another container."""

OVER_HTTP = "http"
"""The caller by loopback TCP, which does not tell the process."""

_OURS = frozenset({"gh", "git", "gh-p2pcache", "git-ghapi"})
_SHELL = re.compile(r"-?(?:sh|bash|dash|zsh|fish|ksh|ash|busybox)")
_INTERPRETER = re.compile(r"(?:python|ruby|perl|node|deno|bun|pwsh|php)[\d.]*")
_WRAPPERS = frozenset({"env", "timeout", "xargs", "nice", "nohup", "time", "sudo", "stdbuf"})
_OF_A_SHELL = re.compile(r"-[a-z]*c|--command.*")
_INLINE = re.compile(r"-[a-zA-Z]*[cep]|--(?:eval|print).*")
"""The program follows as an argument: `sh -c`, `perl -ne`, `node --eval`."""

_WITH_VALUE = re.compile(r"-W|-X|-r|--require|--import|[-+][a-z]*[oO]")
_FILE = re.compile(r"[A-Za-z0-9._+@-]+")
_TEMPORARY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}(?:\.\w+)?|tmp[\w.]+")
"""A script that a runner writes for one step of a job."""

_DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/\w+/fd/\d+|/dev/stdin")
"""A script without a name: `bash <(curl …)`."""

_ODD = re.compile(r"[^A-Za-z0-9 ._+@-]")
_LONGEST = 40
_CUT = 15
_STEPS = 12
"""Processes looked at on the way up; gh by our entry script by git takes five."""

_REMEMBERED_SECONDS = 5.0
_REMEMBERED = 512


class Callers:
    """Names the program behind a connection; remembered for seconds, by process or gh's parent."""

    def __init__(
        self,
        look: Callable[[int], Process | None] = look,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._clock = clock
        self._known: OrderedDict[int, tuple[float, str]] = OrderedDict()

    def of(self, connection: socket.socket) -> str:
        """Return the caller behind a Unix socket, UNKNOWN where that cannot be told."""
        pid, now = peer_pid(connection), self._clock()
        if (name := self._remembered(pid, now)) is not None:
            return name
        peer = self._look(pid) if pid > 0 else None
        if peer is None:
            return UNKNOWN
        by = peer.parent if peer.name in _OURS else pid
        name = self._remembered(by, now)
        if name is None:
            name = name_of(peer, self._look)
            self._known.pop(by, None)
            self._known[by] = (now + _REMEMBERED_SECONDS, name)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return name

    def _remembered(self, pid: int, now: float) -> str | None:
        until, name = self._known.get(pid, (0.0, ""))
        return name if until > now else None


def name_of(process: Process, look: Callable[[int], Process | None]) -> str:
    """Return the first name on the way up from `process` that says more than gh or `sh -c`."""
    name = ""
    at: Process | None = process
    for _ in range(_STEPS):
        if at is None:
            break
        if at.name not in _OURS:
            said, tells = _said(at)
            if tells:
                return _plain(said)
            name = name or said
        at = look(at.parent) if at.parent > 1 else None
    return _plain(name or process.name)


def _said(process: Process) -> tuple[str, bool]:
    """Return a name, and whether it is what people would call the program."""
    name = _whole_name(process)
    is_shell = bool(_SHELL.fullmatch(name))
    if not is_shell and not _INTERPRETER.fullmatch(name):
        return name, name not in _WRAPPERS
    inline = _OF_A_SHELL if is_shell else _INLINE
    arguments = process.line()[1:]
    script = _script(arguments, inline)
    if script in _OURS or _TEMPORARY.fullmatch(script):
        return name, False
    if script:
        return script, True
    by_another = is_shell and any(map(inline.fullmatch, arguments))
    return name.removeprefix("-"), not by_another


def _script(arguments: Sequence[str], inline: re.Pattern[str]) -> str:
    """Return the name of the file or module that an interpreter runs, empty where it is inline."""
    rest = list(arguments)
    while rest:
        first = rest.pop(0)
        if first == "-m" and rest:
            return rest[0] if _FILE.fullmatch(rest[0]) else ""
        if not first.startswith(("-", "+")):
            name = PurePosixPath(first).name
            is_file = _FILE.fullmatch(name) and not _DESCRIPTOR.fullmatch(first)
            return name if is_file else ""
        if inline.fullmatch(first):
            return ""
        if _WITH_VALUE.fullmatch(first) and rest:
            rest.pop(0)
    return ""


def _whole_name(process: Process) -> str:
    """Return the program's name: Linux cuts it at 15 bytes, and Node.js gives its threads'."""
    if process.name == "MainThread":
        return PurePosixPath((*process.line(), "node")[0]).name
    if len(process.name) == _CUT:
        for argument in process.line()[:2]:
            name = PurePosixPath(argument).name
            if name.startswith(process.name) and _FILE.fullmatch(name):
                return name
    return process.name


def _plain(name: str) -> str:
    return _ODD.sub("_", name)[:_LONGEST] or UNKNOWN
