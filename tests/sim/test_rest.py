"""REST as gh and the cache meet it: pages, redirects, media types, bytes, and writes."""

import base64
import json
from typing import Any

import pytest

from gh_p2pcache.sim.seed_parts import BIG_ASSET
from gh_p2pcache.sim.sim import Sim
from support.ask import ask, field, graphql, still_sim

RAW = "application/vnd.github.raw"


@pytest.fixture
def sim_here() -> Sim:
    return still_sim()


def data(sim: Sim, target: str, token: str | None = "alice", **headers: str) -> Any:
    answer = ask(sim, "GET", target, token, **headers)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def next_page(link: str) -> str:
    urls = [part for part in link.split(", ") if part.endswith('rel="next"')]
    return urls[0].split(">")[0].removeprefix("<https://api.github.com") if urls else ""


def test_pages_are_followed_to_the_end(sim_here: Sim) -> None:
    numbers, target = [], "/repos/acme/many/issues?per_page=40"
    while target:
        answer = ask(sim_here, "GET", target)
        numbers += [issue["number"] for issue in json.loads(answer.body)]
        target = next_page(field(answer, "link"))
        assert target == "" or target.startswith("/repositories/500001003/issues?")
    assert numbers == list(range(95, 0, -1))


def test_the_alias_is_the_same_repository(sim_here: Sim) -> None:
    by_name = ask(sim_here, "GET", "/repos/ACME/Widgets/labels")
    by_number = ask(sim_here, "GET", "/repositories/500001001/labels")
    assert by_name.body == by_number.body


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("HEAD", 301), ("PATCH", 307)])
def test_a_former_name_redirects(sim_here: Sim, method: str, status: int) -> None:
    answer = ask(sim_here, method, "/repos/acme/old-name/issues/1", body={})
    assert answer.status == status
    to = "https://api.github.com/repositories/500001001/issues/1"
    assert field(answer, "location") == to


def test_a_private_repository_does_not_betray_its_former_name(sim_here: Sim) -> None:
    ask(sim_here, "PATCH", "/repos/acme/private", body={"name": "hidden"})
    assert ask(sim_here, "GET", "/repos/acme/private", "alice").status == 301
    assert ask(sim_here, "GET", "/repos/acme/private", "bob").status == 404


def test_statistics_are_202_once(sim_here: Sim) -> None:
    target = "/repos/acme/widgets/stats/contributors"
    assert [ask(sim_here, "GET", target).status for _ in range(2)] == [202, 200]


def test_204_and_404_say_yes_and_no(sim_here: Sim) -> None:
    yes = ask(sim_here, "GET", "/user/starred/octo/hello")
    assert (yes.status, yes.body, field(yes, "content-type")) == (204, b"", "")
    assert ask(sim_here, "GET", "/user/starred/acme/widgets").status == 404


@pytest.mark.parametrize(
    ("target", "kind", "start"),
    [
        ("/repos/acme/widgets/pulls/9", "diff", b"diff --git a/src/feature.py"),
        ("/repos/acme/widgets/pulls/9", "patch", b"From "),
        ("/repos/acme/widgets/commits/feature", "diff", b"diff --git a/src/feature.py"),
        ("/repos/acme/widgets/contents/README.md", "raw", b"# Widgets"),
        ("/repos/acme/widgets/readme", "html", b"<div"),
    ],
)
def test_media_types(sim_here: Sim, target: str, kind: str, start: bytes) -> None:
    for accept in (f"application/vnd.github.{kind}", f"application/vnd.github.v3.{kind}"):
        answer = ask(sim_here, "GET", target, accept=accept)
        assert answer.body.startswith(start)
        assert field(answer, "content-type") == f"application/vnd.github.v3.{kind}; charset=utf-8"
        assert field(answer, "x-github-media-type") == f"github.v3; param={kind}"


def test_the_sha_of_a_branch(sim_here: Sim) -> None:
    answer = ask(
        sim_here, "GET", "/repos/acme/widgets/commits/main", accept="application/vnd.github.sha"
    )
    ref = data(sim_here, "/repos/acme/widgets/git/ref/heads/main")
    assert answer.body.decode() == ref["object"]["sha"]


def test_bytes_come_back_as_they_are(sim_here: Sim) -> None:
    raw = ask(sim_here, "GET", "/repos/octo/hello/contents/latin1.txt", accept=RAW)
    assert raw.body == "Größe".encode("latin-1")
    logo = ask(sim_here, "GET", "/repos/acme/widgets/contents/logo.png", accept=RAW)
    assert logo.body.endswith(bytes(range(256)))
    listed = data(sim_here, "/repos/acme/widgets/contents/logo.png")
    assert base64.b64decode(listed["content"]) == logo.body
    issue = ask(sim_here, "GET", "/repos/octo/hello/issues/1")
    assert "世界 🌍 \u2028 line".encode() in issue.body


def test_a_private_file_has_a_url_with_a_token(sim_here: Sim) -> None:
    url = data(sim_here, "/repos/acme/private/contents/secret.txt")["download_url"]
    assert url != data(sim_here, "/repos/acme/private/contents/secret.txt", "job1")["download_url"]
    host, _, path = url.removeprefix("https://").partition("/")
    assert "token=" in path
    assert ask(sim_here, "GET", f"/{path}", None, host=host).body == b"sesame\n"
    assert ask(sim_here, "GET", f"/{path.partition('?')[0]}", None, host=host).status == 404


def asset_named(sim: Sim, name: str) -> Any:
    release = data(sim, "/repos/acme/widgets/releases/latest")
    return next(asset for asset in release["assets"] if asset["name"] == name)


def test_an_asset_lies_on_another_host(sim_here: Sim) -> None:
    target = asset_named(sim_here, "widgets.zip")["url"].removeprefix("https://api.github.com")
    answer = ask(sim_here, "GET", target, accept="application/octet-stream")
    assert (answer.status, answer.body) == (302, b"")
    host, _, path = field(answer, "location").removeprefix("https://").partition("/")
    file = ask(sim_here, "GET", f"/{path}", None, host=host)
    assert file.body.startswith(b"PK\x03\x04")
    assert ask(sim_here, "GET", f"/{path.partition('?')[0]}", None, host=host).status == 403


def test_a_large_asset_is_streamed(sim_here: Sim) -> None:
    asset = asset_named(sim_here, "big.bin")
    host = "release-assets.githubusercontent.com"
    answer = ask(sim_here, "HEAD", f"/asset/{asset['id']}?sig=sim", None, host=host)
    assert int(field(answer, "content-length")) == asset["size"] == BIG_ASSET


@pytest.mark.parametrize(
    "target",
    [
        "/repos/acme/widgets/actions/runs/9000000001/logs",
        "/repos/acme/widgets/actions/jobs/9900000010/logs",
        "/repos/acme/widgets/tarball/main",
        "/repos/acme/widgets/zipball/v1.0.0",
        "/repos/acme/private/zipball",
    ],
)
def test_logs_and_archives_are_redirects(sim_here: Sim, target: str) -> None:
    answer = ask(sim_here, "GET", target)
    assert (answer.status, field(answer, "etag")) == (302, "")
    host, _, path = field(answer, "location").removeprefix("https://").partition("/")
    assert ask(sim_here, "GET", f"/{path}", None, host=host).status == 200


def test_drafts_are_for_those_who_push(sim_here: Sim) -> None:
    def tags(token: str) -> list[str]:
        releases = data(sim_here, "/repos/acme/widgets/releases", token)
        return [release["tag_name"] for release in releases]

    assert tags("alice") == ["v2.0.0", "v1.1.0", "v1.0.0"]
    assert tags("mallory") == ["v1.1.0", "v1.0.0"]


def test_search_has_no_validator(sim_here: Sim) -> None:
    answer = ask(sim_here, "GET", "/search/issues?q=repo:acme/widgets+is:pr+is:open")
    assert json.loads(answer.body)["total_count"] == 2
    assert (field(answer, "etag"), field(answer, "cache-control")) == ("", "no-cache")


WRITES: list[tuple[str, str, object, str, str]] = [
    ("POST", "issues", {"title": "Brand new"}, "issues", "Brand new"),
    ("PATCH", "issues/1", {"title": "Brand new"}, "issues/1", "Brand new"),
    ("PATCH", "issues/1", {"state": "closed"}, "issues/1", '"closed_by":{"login":"alice"'),
    ("POST", "issues/1/comments", {"body": "Brand new"}, "issues/1/comments", "Brand new"),
    ("POST", "issues/1/labels", {"labels": ["new one"]}, "labels", "new one"),
    ("POST", "labels", {"name": "fresh", "color": "ffffff"}, "labels/fresh", "ffffff"),
    ("PATCH", "labels/bug", {"new_name": "defect"}, "issues/1", '"name":"defect"'),
    ("PUT", "issues/1/lock", {}, "issues/1", '"locked":true'),
    ("PUT", "pulls/9/merge", {}, "pulls/9", '"merged":true'),
    ("POST", "pulls/9/reviews", {"event": "APPROVE"}, "pulls/9/reviews", "APPROVED"),
    ("PUT", "contents/new.txt", {"content": "bmV3", "message": "m"}, "commits", '"message":"m"'),
    ("PUT", "topics", {"names": ["fresh"]}, "topics", "fresh"),
    ("POST", "releases", {"tag_name": "v9"}, "tags", '"name":"v9"'),
    ("POST", "actions/workflows/ci.yml/dispatches", {"ref": "main"}, "actions/runs", "queued"),
    ("POST", "actions/runs/9000000002/rerun", {}, "actions/runs/9000000002", '"run_attempt":2'),
    (
        "POST",
        "pulls/9/requested_reviewers",
        {"reviewers": ["copilot-pull-request-reviewer[bot]"]},
        "pulls/9/requested_reviewers",
        '"login":"copilot-pull-request-reviewer[bot]"',
    ),
    ("PATCH", "", {"description": "Brand new"}, "", "Brand new"),
]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: f"{write[0]} {write[1]}")
def test_a_write_shows_in_what_is_read_next(
    sim_here: Sim, write: tuple[str, str, object, str, str]
) -> None:
    method, path, body, read, shown = write
    root = "/repos/acme/widgets/"
    before = ask(sim_here, "GET", (root + read).rstrip("/"))
    assert shown not in before.body.decode()
    assert ask(sim_here, method, (root + path).rstrip("/"), body=body).status < 300
    after = ask(sim_here, "GET", (root + read).rstrip("/"))
    assert shown in after.body.decode()
    assert field(after, "etag") != field(before, "etag")


def test_a_commit_can_be_made_and_put_on_a_branch(sim_here: Sim) -> None:
    main = data(sim_here, "/repos/acme/widgets/git/ref/heads/main")["object"]["sha"]
    tree = data(sim_here, f"/repos/acme/widgets/git/commits/{main}")["tree"]["sha"]
    wanted = {"message": "Nothing yet", "tree": tree, "parents": [main]}
    made = ask(sim_here, "POST", "/repos/acme/widgets/git/commits", body=wanted)
    assert made.status == 201
    sha = json.loads(made.body)["sha"]
    ref = {"ref": "refs/heads/new", "sha": sha}
    assert ask(sim_here, "POST", "/repos/acme/widgets/git/refs", body=ref).status == 201
    span = data(sim_here, "/repos/acme/widgets/compare/main...new")
    assert (span["ahead_by"], span["files"]) == (1, [])


def test_things_go_away(sim_here: Sim) -> None:
    for target in (
        "/repos/acme/widgets/labels/bug",
        "/repos/acme/widgets/git/refs/heads/feature",
        "/gists/a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "/repos/acme/many",
    ):
        assert ask(sim_here, "DELETE", target).status == 204
        assert ask(sim_here, "GET", target.replace("/refs/", "/ref/")).status == 404


def test_an_upload_can_be_downloaded(sim_here: Sim) -> None:
    release = data(sim_here, "/repos/acme/widgets/releases/latest")
    url = release["upload_url"].partition("{")[0]
    host, _, path = url.removeprefix("https://").partition("/")
    assert host == "uploads.github.com"
    target = f"/{path}?name=new.bin"
    made = ask(sim_here, "POST", target, body=b"\x00\xffbytes", host=host)
    assert made.status == 201
    again = ask(sim_here, "POST", target, body=b"", host=host)
    assert again.status == 422
    asset = f"/asset/{json.loads(made.body)['id']}?sig=sim"
    file = ask(sim_here, "GET", asset, None, host="release-assets.githubusercontent.com")
    assert file.body == b"\x00\xffbytes"


def test_a_rename_leaves_a_redirect(sim_here: Sim) -> None:
    assert ask(sim_here, "PATCH", "/repos/acme/widgets", body={"name": "gadgets"}).status == 200
    assert ask(sim_here, "GET", "/repos/acme/widgets").status == 301
    assert data(sim_here, "/repos/acme/gadgets")["id"] == 500_001_001


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("issues", {}, 422),
        ("issues", b"{", 400),
        ("issues/4711/comments", {"body": "x"}, 404),
        ("labels", {"name": "bug"}, 422),
        ("git/refs", {"ref": "refs/heads/main", "sha": "0" * 40}, 422),
        ("git/commits", {"message": "x", "tree": "0" * 40}, 422),
        ("pulls", {"title": "x", "head": "nowhere", "base": "main"}, 422),
        ("pulls/9/requested_reviewers", {"reviewers": ["nobody-at-all"]}, 422),
    ],
)
def test_refused_writes_change_nothing(sim_here: Sim, path: str, body: object, status: int) -> None:
    before = data(sim_here, "/repos/acme/widgets")
    answer = ask(sim_here, "POST", f"/repos/acme/widgets/{path}", body=body)
    assert answer.status == status
    assert "message" in json.loads(answer.body)
    assert data(sim_here, "/repos/acme/widgets") == before


@pytest.mark.parametrize(
    ("host", "root", "base"),
    [
        ("ghes.example", "/api/v3", "https://ghes.example/api/v3"),
        ("api.tenant.ghe.com", "", "https://api.tenant.ghe.com"),
    ],
)
def test_other_hosts_have_their_own_urls(sim_here: Sim, host: str, root: str, base: str) -> None:
    answer = ask(sim_here, "GET", f"{root}/repos/acme/widgets", host=host)
    assert json.loads(answer.body)["url"] == f"{base}/repos/acme/widgets"
    graph = "/api/graphql" if root else "/graphql"
    document = {"query": "{viewer{login}}"}
    said = ask(sim_here, "POST", graph, body=document, host=host)
    assert json.loads(said.body) == {"data": {"viewer": {"login": "alice"}}}


def test_rest_and_graphql_show_one_world(sim_here: Sim) -> None:
    graphql(
        sim_here,
        "mutation($i:AddCommentInput!){addComment(input:$i){clientMutationId}}",
        i={"subjectId": data(sim_here, "/repos/acme/widgets/issues/1")["node_id"], "body": "Hi!"},
    )
    comments = data(sim_here, "/repos/acme/widgets/issues/1/comments")
    assert comments[-1]["body"] == "Hi!"
