"""The repository that a path names, and paths that may lead elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy.paths import place


@pytest.mark.parametrize(
    ("path", "repo", "repo_id", "rest"),
    [
        ("/repos/Acme/Widgets", "acme/widgets", None, ""),
        ("/repos/Acme/Widgets/issues/1", "acme/widgets", None, "/issues/1"),
        ("/repos/a/b/contents/C/D.md", "a/b", None, "/contents/C/D.md"),
        ("/repos/a/b/contents/", "a/b", None, "/contents/"),
        ("/repos/%61cme/w%69dgets/issues", "acme/widgets", None, "/issues"),
        ("/repos/a/b.git/issues", "a/b", None, "/issues"),
        ("/repos/a/.github/issues", "a/.github", None, "/issues"),
        ("/repos/a/b/git/ref/heads%2Fx%2Fy", "a/b", None, "/git/ref/heads%2Fx%2Fy"),
        ("/repositories/123/issues", None, "123", "/issues"),
        ("/repositories/123", None, "123", ""),
        ("/repositories", None, None, "/repositories"),
        ("/repositories/x/issues", None, None, "/repositories/x/issues"),
        ("/repositories/²/issues", None, None, "/repositories/²/issues"),
        ("/repos/a", None, None, "/repos/a"),
        ("/user", None, None, "/user"),
        ("/", None, None, "/"),
    ],
)
def test_a_path_names_its_repository(path, repo, repo_id, rest):
    here = place(path)
    assert here is not None
    assert (here.repo, here.repo_id, here.rest) == (repo, repo_id, rest)


@pytest.mark.parametrize(
    "path",
    [
        "/repos/o/r/contents/../../../x/y/contents/secret",
        "/repos/o/r/contents/%2e%2e/%2E%2E/x",
        "/repos/o/r/contents/..%2F..%2Fx",
        "/repos/o/r/contents/.",
        "/repos/o/r/..",
        "/repos/o/../x/y",
        "/repos//r/issues",
        "//repos/o/r",
        "/repos/o/r//issues",
        "/repos/o/r/contents/a\\..\\b",
        "/repos/o/r/contents/a%5C..%5cb",
        "/repos/o/r/contents/a%00",
        "/repos/o%2Fr/x/y",
        "/repos/o/r%20x/issues",
        "/repos/o/ŕ/issues",
        "/repos/o/r:x/issues",
        "/repos/o/r/contents/%2%65%2E/x",
        "/repos/o/r/contents/100%",
    ],
)
def test_a_path_that_a_server_may_resolve_elsewhere_is_odd(path):
    """RFC 3986 section 5.2.4: dot segments move up; a proof for o/r must not open x/y."""
    assert place(path) is None


@given(st.lists(st.sampled_from(["o", "r", "..", ".", "", "%2e", "%2F", "x", "repos"]), max_size=8))
def test_a_named_repository_is_always_what_the_first_segments_say(parts):
    path = "/repos/" + "/".join(parts)
    here = place(path)
    if here is not None and here.repo is not None:
        assert here.repo == f"{parts[0]}/{parts[1]}"
        assert not {".", "..", "%2e"} & set(parts)


def test_long_paths_are_judged_like_short_ones():
    long = "/repos/O/R/contents/" + "a" * 10_000
    here = place(long)
    assert here is not None
    assert here.repo == "o/r"
    assert place(long + "/../x") is None
