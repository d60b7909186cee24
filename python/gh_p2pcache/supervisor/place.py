"""Where a daemon lives: its lock, its runtime directory, its sockets and its sign of life."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Mapping

from gh_p2pcache.errors import DaemonError

SERVED = ("ttl", "exact", "control")
"""The sockets that the gateway answers on, by the names in GH_P2PCACHE_FDS."""

SOCKETS = (*SERVED, "supervisor")
PEER = "peer"
"""The socket that the peer process answers on: there while peers are on and installed."""

SOCKET_PATH_LIMIT = 103
"""Longest path of a Unix socket, in bytes, that Linux (107) and macOS (103) both bind."""

_BACKLOG = 2048
"""Calls wait here while a gateway comes up (Linux cuts it to net.core.somaxconn)."""

_APART = 512
"""Number of a descriptor above those that programs have; `select` takes less than 1024."""

_OF_A_DAEMON = (
    "alive",
    "pid",
    "settings",
    "notice",
    *(f"{name}.sock" for name in (*SOCKETS, PEER)),
)


class Place:
    """One daemon's files and descriptors. Whoever holds a Place holds the lock."""

    def __init__(self, state: str, run: str, lock: int, sockets: dict[str, socket.socket]) -> None:
        self.state = state
        self.run = run
        self.lock = lock
        self.sockets = sockets
        self._bound = os.stat(os.path.join(run, "exact.sock"))

    def announce(self) -> None:
        """Tell the entry point that a gateway answers here.

        `alive` leads to a descriptor of this process, so that one stat says dead after a SIGKILL
        and for a reused pid (see `_apart`); without /proc a pid file has to do.
        """
        shown = os.path.join(self.run, "alive")
        descriptor = f"/proc/{os.getpid()}/fd/{self.sockets['exact'].fileno()}"
        if os.path.exists(descriptor):
            _link(descriptor, shown)
            return
        with open(os.path.join(self.run, "pid"), "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")

    def outdate(self) -> None:
        """Have the overlays made anew: the next gateway may work with another configuration."""
        try:
            os.utime(os.path.join(self.run, "settings"))
        except FileNotFoundError:
            return

    def withdraw(self) -> None:
        """Take everything away that leads here, the sign of life first, then free the lock."""
        if self._is_bound():
            _clear(self.run)
            _empty(os.path.join(self.run, "calls"))
            _drop(os.path.join(self.run, "calls"))
            _drop(self.run)
        self.close()

    def close(self) -> None:
        """Let go of the descriptors: another process has them now."""
        for listening in self.sockets.values():
            listening.close()
        os.close(self.lock)

    def offer_peer(self) -> None:
        """Bind the peer process's socket, unless it is handed down. Raises OSError."""
        if PEER not in self.sockets:
            path = os.path.join(self.run, f"{PEER}.sock")
            _remove(path)
            self.sockets[PEER] = _listen(path)

    def withhold_peer(self) -> None:
        """Take the peer process's socket away: connecting fails at once from now on."""
        if listening := self.sockets.pop(PEER, None):
            _remove(os.path.join(self.run, f"{PEER}.sock"))
            listening.close()

    def intact(self) -> bool:
        """Say whether the paths still lead to this daemon (a logout removes the runtime dir)."""
        try:
            held = os.path.samestat(os.fstat(self.lock), os.stat(os.path.join(self.state, "lock")))
            named = os.path.samestat(os.stat(os.path.join(self.state, "run")), os.stat(self.run))
        except OSError:
            return False
        return held and named and self._is_bound()

    def descriptors(self) -> dict[str, int]:
        """Return what a process that takes this place over must inherit."""
        return {name: s.fileno() for name, s in self.sockets.items()} | {"lock": self.lock}

    def _is_bound(self) -> bool:
        try:
            there = os.stat(os.path.join(self.run, "exact.sock"))
        except OSError:
            return False
        return os.path.samestat(self._bound, there)


def claim(state: str, env: Mapping[str, str]) -> Place | None:
    """Take the lock of a state directory and bind fresh sockets; None while a daemon holds it.

    Raises DaemonError or OSError where the directories can't be used.
    """
    os.makedirs(state, mode=0o700, exist_ok=True)
    _own(state)
    lock = take_lock(state)
    if lock is None:
        return None
    try:
        run = _runtime_directory(state, env)
        _clear(run)
        _empty(os.path.join(run, "calls"))
        sockets = {name: _listen(os.path.join(run, f"{name}.sock")) for name in SOCKETS}
        sockets["exact"] = _apart(sockets["exact"])
        _link(run, os.path.join(state, "run"))
    except BaseException:
        os.close(lock)
        raise
    return Place(state, run, lock, sockets)


def adopt(state: str, run: str, descriptors: Mapping[str, int]) -> Place:
    """Return the place whose descriptors this process inherited over an exec."""
    for descriptor in descriptors.values():
        os.set_inheritable(descriptor, False)
    sockets = {name: socket.socket(fileno=d) for name, d in descriptors.items() if name != "lock"}
    return Place(state, run, descriptors["lock"], sockets)


def take_lock(state: str) -> int | None:
    """Return the descriptor of the held lock, or None while another process holds it."""
    path = os.path.join(state, "lock")
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _runtime_directory(state: str, env: Mapping[str, str]) -> str:
    """Return a private directory for the sockets, in XDG_RUNTIME_DIR where that can be used."""
    import zlib  # 0.2 MB that only the starter needs

    name = f"{zlib.crc32(os.fsencode(state)):08x}"
    xdg = env.get("XDG_RUNTIME_DIR", "")
    candidates = [f"/tmp/gh-p2pcache-{os.getuid()}"]  # noqa: S108  _own refuses another user's
    if xdg.startswith("/"):
        candidates.insert(0, os.path.join(xdg, "gh-p2pcache"))
    reason: Exception | None = None
    for parent in candidates:
        run = os.path.join(parent, name)
        if len(os.fsencode(os.path.join(run, "supervisor.sock"))) > SOCKET_PATH_LIMIT:
            continue
        try:
            for directory in (parent, run):
                _make(directory)
                _own(directory)
        except (OSError, DaemonError) as error:
            reason = error
            continue
        return run
    raise DaemonError(f"no place for the sockets: {reason}")


def _make(directory: str) -> None:
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        return


def _own(directory: str) -> None:
    """Make sure that `directory` is this user's alone, and no link that somebody else planted."""
    info = os.lstat(directory)
    if stat.S_ISLNK(info.st_mode) and info.st_uid == os.getuid():
        info = os.stat(directory)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise DaemonError(f"{directory} is not a directory of this user")
    if info.st_mode & 0o077:
        os.chmod(directory, 0o700)


def _listen(path: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


def _apart(listening: socket.socket) -> socket.socket:
    """Return a socket under a number that no other process is likely to have one by.

    In a container that was stopped and started the old pid is soon another's, with its own low
    descriptors: the sign of life of a dead daemon would lead to one of these.
    """
    start = _APART + int.from_bytes(os.urandom(1), "big")
    try:
        number = fcntl.fcntl(listening.fileno(), fcntl.F_DUPFD_CLOEXEC, start)
    except OSError:  # the limit is lower
        return listening
    listening.close()
    return socket.socket(fileno=number)


def _clear(run: str) -> None:
    for name in _OF_A_DAEMON:
        _remove(os.path.join(run, name))


def _empty(directory: str) -> None:
    _make(directory)
    for name in os.listdir(directory):
        _remove(os.path.join(directory, name))


def _link(target: str, path: str) -> None:
    new = f"{path}.new"
    _remove(new)
    os.symlink(target, new)
    os.replace(new, path)


def _drop(directory: str) -> None:
    try:
        os.rmdir(directory)
    except OSError:
        # Somebody put a file of their own there; the next daemon finds its place all the same.
        return


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
