"""From a prepared answer to a reply: validators, coding, limits, and whose answer it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from gh_p2pcache.records.message import Request, header
from gh_p2pcache.sim import etags, limits
from gh_p2pcache.sim.answers import Fields
from gh_p2pcache.sim.clock import Clock, http_date
from gh_p2pcache.sim.tokens import Token
from gh_p2pcache.sim.wire import FIXED, VARY_CODING, Prepared, coded, unmodified_since

PATTERN = bytes(range(256)) * 256
"""What a streamed body repeats: 64 KiB."""


@dataclass(slots=True)
class Switches:
    """How this GitHub behaves.

    `etag_formula`: "github" or "other"; `lag`: seconds for which reads show the world from before
    a write; `last_page_lie`: a full last page that gained a successor is still 304, without Link;
    `replay_step`: which of several recordings of one URL is served.
    """

    etag_formula: str = "github"
    lag: float = 0.0
    last_page_lie: bool = True
    replay_step: int = 0


@dataclass(slots=True)
class Outcome:
    """What a client gets: `delay` seconds first, then an answer, or `fault` (down, timeout, die).

    `stream` more bytes of PATTERN follow the body.
    """

    status: int = 0
    headers: Fields = field(default_factory=list)
    body: bytes = b""
    stream: int = 0
    delay: float = 0.0
    fault: str = ""


class Replies:
    """Makes replies; remembers which ETags belonged to a last page, for GitHub's lie about it."""

    def __init__(self, clock: Clock, budgets: limits.Limits, switches: Switches) -> None:
        self.clock = clock
        self.limits = budgets
        self.switches = switches
        self._served = 0
        self._ended: set[str] = set()

    def reply(
        self, request: Request, token: Token, prepared: Prepared, resource: str, *, billed: bool
    ) -> Outcome:
        """Return what goes over the wire; a 304 is not billed."""
        body, compressed = coded(prepared, request.headers)
        fields = list(prepared.fields)
        unmodified = False
        if prepared.validated and prepared.status == 200:
            opaque = self._etag(request, prepared)
            fields.append((b"etag", f'{"W/" if compressed else ""}"{opaque}"'.encode()))
            unmodified = self._not_modified(request, fields, opaque)
        status = 304 if unmodified else prepared.status
        head: Fields = [
            (b"server", b"GitHub.com"),
            (b"date", http_date(self.clock.now())),
            *(f for f in fields if not (unmodified and f[0] == b"content-type")),
        ]
        if status not in (204, 304):
            head.append((b"content-length", b"%d" % (len(body) + prepared.stream)))
        if compressed and not unmodified:
            head.append((b"content-encoding", b"gzip"))
        head += self._about_caller(token, resource or "core", spend=billed and not unmodified)
        empty = unmodified or request.method == "HEAD"
        stream = 0 if empty else prepared.stream
        return Outcome(status, head, b"" if empty else body, stream)

    def _etag(self, request: Request, prepared: Prepared) -> str:
        if prepared.opaque is not None:
            return prepared.opaque
        varied = tuple(f for f in request.headers if f[0] in etags.VARIED)
        key = (*varied, (b"formula", self.switches.etag_formula.encode()))
        if key not in prepared.etags:
            formula = etags.FORMULAS[self.switches.etag_formula]
            prepared.etags[key] = formula(varied, prepared.plain)
        return prepared.etags[key]

    def _not_modified(self, request: Request, fields: Fields, opaque: str) -> bool:
        """Say whether the answer is 304, with GitHub's lie about a full last page."""
        more = b'rel="next"' in (header(tuple(fields), b"link") or b"")
        condition = header(request.headers, b"if-none-match")
        if condition is None or not etags.matches(condition, opaque):
            if not more:
                self._ended.add(opaque)
            return unmodified_since(request.headers, fields)
        if more and opaque in self._ended:
            if not self.switches.last_page_lie:
                self._ended.discard(opaque)
                return False
            fields[:] = [f for f in fields if f[0] != b"link"]
        return True

    def _about_caller(self, token: Token, resource: str, *, spend: bool) -> Fields:
        self._served += 1
        request_id = f"51A0:1F2B:{self._served:07X}:{self._served * 2:07X}:683C3F00".encode()
        fields: Fields = [(b"x-github-request-id", request_id)]
        if resource == "files":
            return fields
        if token.scopes is not None:
            fields.append((b"x-oauth-scopes", token.scopes.encode()))
            fields.append((b"x-accepted-oauth-scopes", b"repo"))
        window = self.limits.window(token, resource, self.clock.now())
        window.used += spend
        return [*limits.headers(window, resource), *FIXED, VARY_CODING, *fields]
