"""Predicting a token's ETag from another's body, and knowing when not to."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.origin.etag import Predictor, predict
from gh_p2pcache.sim import etags

VARY = b"Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With"
FORMULA = b'"' + hashlib.sha256(b"x").hexdigest().encode() + b'"'


@given(st.binary(), st.binary(max_size=40), st.binary(max_size=40))
def test_it_is_the_formula_that_the_small_github_uses(
    body: bytes, accept: bytes, authorization: bytes
) -> None:
    sent = ((b"accept", accept), (b"authorization", authorization))
    expected = etags.github(sent, body).encode()
    assert predict(sent, VARY, body, compressed=False) == b'"' + expected + b'"'
    assert predict(sent, VARY, body, compressed=True) == b'W/"' + expected + b'"'


def test_a_field_that_vary_does_not_name_does_not_count() -> None:
    sent = ((b"accept", b"a"), (b"authorization", b"token x"))
    assert predict(sent, b"Accept", b"{}", compressed=False) == predict(
        sent[:1], VARY, b"{}", compressed=False
    )


def test_it_trusts_only_after_a_match_and_stops_at_the_first_mismatch() -> None:
    predictor = Predictor()
    assert not predictor.trusts("github.com", "ghp_")
    assert not predictor.refuted("github.com", "ghp_"), "worth a try before the first comparison"
    predictor.compare("github.com", "ghp_", FORMULA, b"W/" + FORMULA)
    assert predictor.trusts("github.com", "ghp_")
    assert not predictor.trusts("github.com", "ghs_"), "each kind of token for itself"
    predictor.compare("github.com", "ghp_", FORMULA, FORMULA.replace(b"2", b"3"))
    assert predictor.refuted("github.com", "ghp_")
    assert not predictor.trusts("github.com", "ghp_")
    assert predictor.mismatches == 1


def test_an_etag_of_another_make_teaches_nothing() -> None:
    """/contents has git's names for ETags (recorded): one of those must not end prediction."""
    predictor = Predictor([("github.com", "ghp_")])
    predictor.compare("github.com", "ghp_", FORMULA, b'"' + b"a" * 40 + b'"')
    predictor.compare("github.com", "ghp_", FORMULA, None)
    assert predictor.trusts("github.com", "ghp_")
