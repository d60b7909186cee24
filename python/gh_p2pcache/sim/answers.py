"""A request as routes see it, and the answers they give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from gh_p2pcache.records.message import Headers, header
from gh_p2pcache.sim.changes import By
from gh_p2pcache.sim.clock import http_date
from gh_p2pcache.sim.model import Repo
from gh_p2pcache.sim.tokens import Token
from gh_p2pcache.sim.world import World

DOCS = "https://docs.github.com/rest"
Fields = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """An answer before limits, coding and validators: JSON `data`, or `body`, or `stream` bytes.

    `etag` False: no validator and no Cache-Control, as on GitHub's errors and redirects; `memo`
    False: made anew at each call, because it depends on more than the world; `opaque`: an ETag
    that is not made by the formula.
    """

    status: int = 200
    data: Any = None
    body: bytes | None = None
    stream: int = 0
    content_type: bytes = b"application/json; charset=utf-8"
    headers: Fields = field(default_factory=list)
    etag: bool = True
    memo: bool = True
    opaque: str | None = None
    media: str = "github.v3; format=json"


class HTTPError(Exception):
    """Ends a route with an answer that is not a success."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Call:
    """A request: `path` starts after the API's root, `base` is that root's URL.

    `args` are the parts of the path that the route names; `repo` is set for a repository's routes;
    `uploaded` is the size of the body, which is empty if it was too large to keep.
    """

    world: World
    token: Token
    method: str
    base: str
    path: str
    query: dict[str, str]
    headers: Headers
    body: bytes
    now: float
    args: dict[str, str] = field(default_factory=dict)
    repo: Repo | None = None
    uploaded: int = 0

    @property
    def the_repo(self) -> Repo:
        """Return the repository of a repository's route."""
        if self.repo is None:
            raise error(404)
        return self.repo

    @property
    def site(self) -> str:
        """Return the URL that html_url values start with."""
        if self.base == "https://api.github.com":
            return "https://github.com"
        return self.base.removesuffix("/api/v3").replace("https://api.", "https://")

    @property
    def login(self) -> str:
        """Return who acts; changes are the bot's for an installation token."""
        return self.token.login

    @property
    def by(self) -> By:
        """Return who changes something, and when."""
        return By(self.token.login, self.now)

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; 400 as GitHub has it."""
        if not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except ValueError:
            raise error(400, "Problems parsing JSON") from None
        if not isinstance(value, dict):
            raise error(400, "Body should be a JSON object")
        return value

    def wants(self, kind: str) -> bool:
        """Say whether Accept names a custom media type: diff, patch, raw, sha, html."""
        accept = (header(self.headers, b"accept") or b"").decode("latin-1")
        return any(
            part.split(";")[0].strip().removesuffix("+json").endswith(f".{kind}")
            for part in accept.split(",")
        )


def parse_query(text: str) -> dict[str, str]:
    """Return a query's parameters; the last of equal names counts."""
    return dict(parse_qsl(text, keep_blank_values=True))


def ok(data: Any, *, modified: float | None = None, **more: Any) -> Answer:
    """Return a 200 with JSON; `modified` (unix seconds) makes its Last-Modified."""
    answer = Answer(data=data, **more)
    if modified is not None:
        answer.headers.append((b"last-modified", http_date(modified)))
    return answer


def created(data: Any, url: str | None = None) -> Answer:
    """Return a 201 with the new thing, and its URL in Location."""
    answer = Answer(201, data)
    if url:
        answer.headers.append((b"location", url.encode()))
    return answer


def no_content(status: int = 204) -> Answer:
    """Return an answer without a body."""
    return Answer(status, body=b"", etag=False)


def media(body: bytes, kind: str, opaque: str | None = None) -> Answer:
    """Return text in a custom media type (diff, patch, raw, sha, html)."""
    content_type = f"application/vnd.github.v3.{kind}; charset=utf-8".encode()
    shown = f"github.v3; param={kind}"
    return Answer(body=body, content_type=content_type, media=shown, opaque=opaque)


MESSAGES = {
    400: "Bad Request",
    401: "Bad credentials",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Validation Failed",
}


def error(status: int, message: str | None = None, **more: Any) -> HTTPError:
    """Return an error with GitHub's body; `more` are further members of it."""
    data = {
        "message": message or MESSAGES[status],
        **more,
        "documentation_url": DOCS,
        "status": str(status),
    }
    return HTTPError(Answer(status, data, etag=False))


def invalid(resource: str, name: str, code: str = "missing_field") -> HTTPError:
    """Return the 422 that names a field."""
    return error(422, errors=[{"resource": resource, "code": code, "field": name}])


def redirect(status: int, location: str) -> Answer:
    """Return a redirect of the API: 301 and 307 have a body, a 302 to a file has none."""
    fields = [(b"location", location.encode())]
    if status == 302:
        fields.insert(0, (b"cache-control", b"public, must-revalidate, max-age=0"))
        html = b"text/html;charset=utf-8"
        return Answer(302, body=b"", content_type=html, headers=fields, etag=False)
    data = {
        "message": "Moved Permanently" if status == 301 else "Temporary Redirect",
        "url": location,
        "documentation_url": "https://docs.github.com/v3/#http-redirects",
    }
    return Answer(status, data, headers=fields, etag=False)


def page(call: Call, items: list[Any], wrap: str | None = None, **more: Any) -> Answer:
    """Return one page of a list (page, per_page 30, at most 100) with its Link field.

    Links of a repository's lists jump to /repositories/ID, as recorded. `wrap` names the member
    that holds the items beside `total_count`.
    """
    size = min(max(_number(call, "per_page", 30), 1), 100)
    number = max(_number(call, "page", 1), 1)
    last = max(1, -(-len(items) // size))
    chosen = items[(number - 1) * size : number * size]
    answer = ok({"total_count": len(items), **more, wrap: chosen} if wrap else chosen)
    places = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number == 1:
        del places["prev"], places["first"]
    if number >= last:
        del places["next"], places["last"]
    if places:
        links = [f'<{_page_url(call, at)}>; rel="{name}"' for name, at in places.items()]
        answer.headers.append((b"link", ", ".join(links).encode()))
    return answer


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def _page_url(call: Call, number: int) -> str:
    path = call.path
    if call.repo is not None and path.startswith("/repos/"):
        rest = path.split("/", 4)[4:]
        path = "/".join([f"/repositories/{call.repo.id}", *rest])
    query = {**call.query, "page": str(number)}
    return f"{call.base}{quote(path, safe='/:@!$&*+,;=~.-_')}?{urlencode(query)}"
