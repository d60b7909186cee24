"""Node ids: GitHub's present format, there and back."""

from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.sim.ids import node_id, parse_node_id

part = st.integers(0, 2**63) | st.text(max_size=20)


@given(st.sampled_from(["I", "PR", "R", "REF"]), st.lists(part, max_size=3))
def test_there_and_back(prefix: str, parts: list[int | str]) -> None:
    assert parse_node_id(node_id(prefix, *parts)) == (prefix, tuple(parts))


@given(st.text())
def test_anything_else_is_none_or_parts(text: str) -> None:
    parsed = parse_node_id(text)
    assert parsed is None or isinstance(parsed[1], tuple)


def test_recorded_ids() -> None:
    assert node_id("I", 515435940, 1308968677) == "I_kwDOHrjtpM5OBUbl"
    assert node_id("R", 515436299) == "R_kgDOHrjvCw"
    assert node_id("REF", 515435789, "refs/heads/main") == "REF_kwDOHrjtDa9yZWZzL2hlYWRzL21haW4"
