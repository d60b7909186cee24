"""ETags as GitHub makes them: by the formula, per token, weak when compressed."""

import gzip
import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.sim import etags
from support.ask import ask, field, still_sim
from support.sim import SECRETS

values = st.binary(max_size=30)


@given(accept=values, authorization=values, cookie=values, body=st.binary())
def test_the_formula(accept: bytes, authorization: bytes, cookie: bytes, body: bytes) -> None:
    headers = ((b"cookie", cookie), (b"accept", accept), (b"authorization", authorization))
    expected = sha256(accept + b":" + authorization + b":" + cookie + b":" + body).hexdigest()
    assert etags.github(headers, body) == expected


def test_fields_that_are_not_there_are_left_out() -> None:
    assert etags.github((), b"{}") == sha256(b"{}").hexdigest()
    assert etags.github(((b"accept", b""),), b"{}") == sha256(b":{}").hexdigest()


def test_an_answer_carries_it_over_the_uncompressed_body() -> None:
    sim = still_sim()
    plain = ask(sim, "GET", "/users/bob")
    packed = ask(sim, "GET", "/users/bob", accept_encoding="gzip")
    digest = sha256(f"*/*:token {SECRETS['alice']}:".encode() + plain.body).hexdigest()
    assert field(plain, "etag") == f'"{digest}"'
    assert field(packed, "etag") == f'W/"{digest}"'
    assert gzip.decompress(packed.body) == plain.body
    assert field(packed, "content-encoding") == "gzip"


def test_printing_for_people_comes_after_the_etag() -> None:
    sim = still_sim()
    plain, printed = ask(sim, "GET", "/user"), ask(sim, "GET", "/user", user_agent="curl/8")
    assert field(plain, "etag") == field(printed, "etag")
    assert plain.body != printed.body
    assert json.loads(plain.body) == json.loads(printed.body)


def test_another_token_another_etag() -> None:
    sim = still_sim()
    one = ask(sim, "GET", "/repos/acme/widgets/labels", "alice")
    two = ask(sim, "GET", "/repos/acme/widgets/labels", "bob")
    assert one.body == two.body
    assert field(one, "etag") != field(two, "etag")


def test_files_have_git_s_names_as_etags() -> None:
    sim = still_sim()
    one = ask(sim, "GET", "/repos/acme/widgets/contents/README.md", "alice")
    two = ask(sim, "GET", "/repos/acme/widgets/contents/README.md", "bob")
    assert field(one, "etag") == field(two, "etag") == f'"{json.loads(one.body)["sha"]}"'


def test_the_other_formula_cannot_be_predicted() -> None:
    sim = still_sim()
    before = field(ask(sim, "GET", "/user"), "etag")
    sim.switches.etag_formula = "other"
    after = field(ask(sim, "GET", "/user"), "etag")
    assert before != after
    assert ask(sim, "GET", "/user", if_none_match=before).status == 200
    assert ask(sim, "GET", "/user", if_none_match=after).status == 304
