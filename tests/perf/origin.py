"""An origin with canned answers of any size, quick enough to measure the gateway and not itself.

`python tests/perf/origin.py --unix PATH` answers GET /…/SIZE with about SIZE bytes behind the
header fields of a recorded answer: JSON, gzipped for whoever asks, as GitHub does. The JSON is hex
digits, so that gzip does not make a hundred bytes of it: SIZE is what crosses the wire. `--bare`
answers the same body with one header field, as a trivial app does.
"""

import argparse
import gzip
import hashlib
import random
from email.utils import formatdate
from functools import cache

import uvicorn

FIELDS = [
    ("server", "GitHub.com"),
    ("content-type", "application/json; charset=utf-8"),
    ("cache-control", "private, max-age=60, s-maxage=60"),
    ("vary", "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept"),
    ("x-oauth-scopes", "gist, read:org, repo, workflow"),
    ("x-accepted-oauth-scopes", "repo"),
    ("x-github-media-type", "github.v3; format=json"),
    ("x-github-api-version-selected", "2022-11-28"),
    ("x-ratelimit-limit", "5000"),
    ("x-ratelimit-remaining", "4999"),
    ("x-ratelimit-reset", "4102444800"),
    ("x-ratelimit-used", "1"),
    ("x-ratelimit-resource", "core"),
    ("access-control-expose-headers", "ETag, Link, Location, Retry-After, X-GitHub-OTP"),
    ("access-control-allow-origin", "*"),
    ("strict-transport-security", "max-age=31536000; includeSubdomains; preload"),
    ("x-frame-options", "deny"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "0"),
    ("referrer-policy", "origin-when-cross-origin, strict-origin-when-cross-origin"),
    ("content-security-policy", "default-src 'none'"),
    ("x-github-request-id", "51A0:1F2B:0000001:0000002:683C3F00"),
]
ENCODED = [(name.encode(), value.encode()) for name, value in FIELDS]


@cache
def body_of(size: int, *, zipped: bool) -> bytes:
    text = b'{"x":"%b"}' % random.Random(size).randbytes(size * 7 // 8).hex().encode()
    return gzip.compress(text, mtime=0) if zipped else text


async def app(scope, _receive, send):  # type: ignore[no-untyped-def]
    size = int(scope["path"].rsplit("/", 1)[1])
    zipped = (b"accept-encoding", b"gzip") in scope["headers"]
    body = body_of(size, zipped=zipped)
    own = [(b"content-length", b"%d" % len(body))]
    if zipped and not BARE:
        own.append((b"content-encoding", b"gzip"))
    if not BARE:
        etag = hashlib.sha256(scope["query_string"]).hexdigest()
        date = formatdate(usegmt=True).encode()
        own += [*ENCODED, (b"etag", b'"%b"' % etag.encode()), (b"date", date)]
    await send({"type": "http.response.start", "status": 200, "headers": own})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unix")
    parser.add_argument("--tls", type=int)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    BARE = options.bare
    where = {"uds": options.unix} if options.unix else {"port": options.tls}
    uvicorn.run(
        app,
        **where,
        ssl_certfile=options.cert,
        ssl_keyfile=options.key,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
    )
