"""A client's own conditions, and the content coding it takes (RFC 9110)."""

from __future__ import annotations

import re

from gh_p2pcache.records.message import Headers

_ENTITY_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_ZERO = re.compile(rb"0(?:\.0{0,3})?")


def not_modified(request_headers: Headers, etag: bytes | None) -> bool:
    """Tell whether a client's If-None-Match allows a 304 for the representation `etag` names.

    RFC 9110 section 13.1.2: the weak comparison; `*` matches whatever there is. A client without
    If-None-Match never gets a 304, also for an If-Modified-Since (section 13.1.3 wants that
    ignored where no modification date can be had): GitHub's Last-Modified stands still while
    bodies change, so a date says nothing of the body we hold.
    """
    values = [value for name, value in request_headers if name == b"if-none-match"]
    if not values:
        return False
    wanted = b",".join(values).strip()
    if wanted == b"*":
        return True
    current = _ENTITY_TAG.fullmatch(etag) if etag else None
    return current is not None and current[1] in _ENTITY_TAG.findall(wanted)


def wants_gzip(headers: Headers) -> bool:
    """Tell whether a client takes gzip (RFC 9110 section 12.5.3); one that says nothing does not.

    Not taking it is the safe reading: the section allows any coding then, but few expect one.
    """
    codings: dict[bytes, bool] = {}
    for name, value in headers:
        if name != b"accept-encoding":
            continue
        if value == b"gzip":
            return True
        for item in value.lower().split(b","):
            coding, *parameters = (part.strip() for part in item.split(b";"))
            weight = next((p[2:] for p in parameters if p.startswith(b"q=")), b"1")
            codings[coding] = not _ZERO.fullmatch(weight.strip())
    return codings.get(b"gzip", codings.get(b"x-gzip", codings.get(b"*", False)))
