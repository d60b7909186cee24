"""The one exception family: a message a user can act on and a fixed exit code each."""

from __future__ import annotations


class P2PCacheError(Exception):
    """Anything of ours that a user gets to see; `exit_code` is what the command ends with."""

    exit_code = 1


class UsageError(P2PCacheError):
    """The command line says something that cannot be done."""

    exit_code = 2


class NotCachedError(P2PCacheError):
    """`--offline` was asked for and nothing usable is kept."""

    exit_code = 3


class ConfigError(P2PCacheError):
    """A setting has a value that cannot be used; the message names it and what it takes."""

    exit_code = 5


class DaemonError(P2PCacheError):
    """The daemon is not there, did not come up or does not answer."""

    exit_code = 6


class StoreError(P2PCacheError):
    """The cache directory cannot be used at all (a single bad file is a miss, not an error)."""

    exit_code = 7


class RejectedError(P2PCacheError):
    """A record, seal or CID is not what it claims to be: a miss, and counted."""

    exit_code = 8


class OriginError(P2PCacheError):
    """GitHub could not be reached: no connection, a broken one, or a time-out."""

    exit_code = 9


class UnsentError(OriginError):
    """No connection came about: nothing of the request has left the machine."""
