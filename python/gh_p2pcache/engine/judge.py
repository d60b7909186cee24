"""Whether what a member handed over may be used: every bit of it is judged here.

A member holds the scope's key, so nothing that it says is right because it opens.
"""

from __future__ import annotations

from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.peers import Offer
from gh_p2pcache.errors import RejectedError
from gh_p2pcache.origin.etag import plain
from gh_p2pcache.policy.freshness import ceiling, is_private_body, keepable
from gh_p2pcache.policy.headers import kept_headers
from gh_p2pcache.policy.invalidation import response_tags
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.message import Response
from gh_p2pcache.records.record import Record, unpack
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import check_record, check_validation


class ForgedError(RejectedError):
    """What a member vouched for that none would which judges as we do."""


FUTURE_SECONDS = 60
"""How far ahead of GitHub's clock, as we know it, a date may be."""


def opened(offer: Offer, keys: ScopeKeys, tag: str) -> Record:
    """Return the record inside an offer; raises RejectedError unless all that is signed fits.

    That is a ForgedError where the one who signed the validation has to answer for it.
    """
    validation = offer.validation
    if digest(offer.blob) != validation.digest:
        raise RejectedError("a blob that is not the one announced")
    check_validation(keys.id, tag, validation)
    record = unpack(keys.open(offer.blob))
    if record.scope != keys.id or keys.tag(record.key) != tag:
        raise ForgedError("a record of another request or scope")
    try:
        check_record(record)
    except RejectedError as error:
        raise ForgedError(str(error)) from error
    if validation.github_date < record.github_date:
        raise ForgedError("a record that is newer than its validation")
    return record


def bound(call: Call, record: Record, expected: frozenset[str], *, largest: int) -> float:
    """Return the longest that a foreign record may be fresh for this call, in seconds.

    `expected` are the tags that we would give it ourselves, the answer's own aside: without them
    a write would not bury it. Raises RejectedError for what we would not have kept like this.
    """
    plan = call.plan
    try:
        text = plain(record.headers, record.body)
    except ValueError as error:
        raise RejectedError(f"a body that cannot be decoded: {error}") from error
    response = Response(record.status, record.headers, record.body)
    if record.key != plan.key or record.method != call.request.method:
        raise RejectedError("a record of another request")
    if len(record.body) > largest:
        raise RejectedError("a record that is larger than we keep")
    if plan.access is None or is_private_body(plan, text):
        raise RejectedError("a record that is nobody's to share")
    if not keepable(plan, response, text):
        raise RejectedError("an answer that is never kept")
    if record.headers != kept_headers(record.headers, record.access is not None):
        raise RejectedError("a record with header fields that are not shared")
    wanted = expected if plan.row.immutable else expected | response_tags(plan, response, text)
    if not wanted <= set(record.tags):
        raise RejectedError("a record that lacks tags")
    return ceiling(plan, response, text)
