"""Which answers are pages of one list: none may be older than the last change of its first."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from gh_p2pcache.policy.hosts import api_root
from gh_p2pcache.policy.key import request_key
from gh_p2pcache.policy.paths import place
from gh_p2pcache.records.message import Request

_POSITION = frozenset({"page", "after", "before"})
_NEXT = re.compile(rb'<([^<>]+)>\s*;[^,]*\brel="next"')


def family(request: Request) -> bytes:
    """Return what all pages of a list have in common: their key without the position in it."""
    path, _, query = request.target.partition("?")
    call = api_root(request.host, path)
    if call is not None and (here := place(call.path)) is not None:
        path = call.root + here.path
    kept = "&".join(item for item in query.split("&") if item.partition("=")[0] not in _POSITION)
    return request_key(request.method, request.host, path, kept, request.headers)


def is_later(request: Request) -> bool:
    """Tell whether a request asks for a page behind the first."""
    _, _, query = request.target.partition("?")
    items = (item.partition("=") for item in query.split("&") if item)
    return any(name in _POSITION and (name, value) != ("page", "1") for name, _, value in items)


def next_family(request: Request, link: bytes | None) -> bytes | None:
    """Return the family that `Link: rel="next"` leads to, which may go by repository id.

    97 of 424 recorded `next` links jump from /repos/OWNER/NAME to /repositories/ID (measured).
    """
    found = _NEXT.search(link or b"")
    if found is None:
        return None
    url = urlsplit(found[1].decode("latin-1"))
    target = f"{url.path}?{url.query}"
    return family(replace(request, host=url.netloc.lower(), target=target))
