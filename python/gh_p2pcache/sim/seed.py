"""The world at the start: the same every time, small enough to know by heart.

`acme/widgets` has a bit of everything, `acme/private` is closed to most, `acme/many` is for
pages, `octo/hello` has odd bytes; `acme/old-name` was renamed to `acme/widgets`.
"""

from __future__ import annotations

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.git import Git
from gh_p2pcache.sim.model import Account, Gist, Notification, Repo, Workflow
from gh_p2pcache.sim.seed_parts import (
    ALICE,
    BOB,
    EPOCH,
    HOUR,
    add_issue,
    add_pull,
    new_repo,
    new_run,
)
from gh_p2pcache.sim.seed_widgets import widgets
from gh_p2pcache.sim.world import World


def seed_world() -> World:
    """Return the world as every sim starts with it."""
    world = World()
    _accounts(world)
    for make in (widgets, _private, _many, _hello):
        repo = make(world)
        world.repos[repo.id] = repo
    world.renamed["acme/old-name"] = 500_001_001
    _people(world)
    return world


def _accounts(world: World) -> None:
    for number, (login, kind, name) in enumerate(
        (
            ("alice", "User", "Alice Liddell"),
            ("bob", "User", "Bob Dobbs"),
            ("carol", "User", "Carol Ångström"),
            ("mallory", "User", None),
            ("acme", "Organization", "Acme Corporation"),
            ("octo", "Organization", "Octo"),
            ("github-actions[bot]", "Bot", None),
            ("copilot-pull-request-reviewer[bot]", "Bot", None),
        )
    ):
        world.accounts[login] = Account(31_898_000 + number, login, kind, name)


def _people(world: World) -> None:
    world.members = {"acme": ["alice", "bob"], "octo": ["alice"]}
    world.stars = {"alice": [500_001_004], "bob": [500_001_001]}
    world.gists["a1b2c3d4e5f60718293a4b5c6d7e8f90"] = Gist(
        id="a1b2c3d4e5f60718293a4b5c6d7e8f90",
        owner="alice",
        description="A snippet",
        public=True,
        files={"hello.py": "print('hello')\n"},
        created_at=EPOCH,
        updated_at=EPOCH,
    )
    for number, (repo, issue, reason) in enumerate(
        ((500_001_001, 1, "mention"), (500_001_001, 9, "review_requested"))
    ):
        world.notifications.append(
            Notification(7_000_001 + number, "alice", repo, issue, reason, EPOCH + number * HOUR)
        )


def _private(world: World) -> Repo:
    git = Git()
    files: dict[str, bytes | None] = {"README.md": b"# Private\n", "secret.txt": b"sesame\n"}
    git.commit_files("main", files, ALICE, EPOCH - 90 * HOUR, "Initial commit")
    repo = new_repo(world, 2, "acme/private", git)
    repo.private, repo.description = True, "Not for everybody"
    add_issue(world, repo, "A private matter", "Between us", "alice")
    git.refs["heads/topic"] = git.refs["heads/main"]
    git.commit_files("topic", {"topic.txt": b"topic\n"}, ALICE, EPOCH - 80 * HOUR, "Topic")
    add_pull(world, repo, "A private change", "topic", "alice")
    repo.workflows = [Workflow(8_000_003, "CI", ".github/workflows/ci.yml", EPOCH - 90 * HOUR)]
    run = new_run(repo, 101, "topic")
    run.title, run.workflow = "A private change", 8_000_003
    changes.set_run(run, run.created_at + 95, "completed", "success")
    return repo


def _many(world: World) -> Repo:
    git = Git()
    for number in range(35):
        message = f"Commit {number}"
        when = EPOCH - (80 - number) * HOUR
        git.commit_files("main", {"count.txt": f"{number}\n".encode()}, ALICE, when, message)
    repo = new_repo(world, 3, "acme/many", git)
    for number in range(1, 96):
        add_issue(world, repo, f"Issue {number} of many", f"Text {number}\n" * 8, "alice")
    return repo


def _hello(world: World) -> Repo:
    git = Git()
    files: dict[str, bytes | None] = {
        "README.md": b"Hello World!\n",
        "latin1.txt": "Größe".encode("latin-1"),
        "空.txt": "空\n".encode(),
    }
    git.commit_files("master", files, BOB, EPOCH - 400 * HOUR, "First")
    git.refs["tags/v0.1"] = git.refs["heads/master"]
    repo = new_repo(world, 4, "octo/hello", git)
    repo.default_branch, repo.description, repo.stars = "master", "Hello, 世界", 7
    add_issue(world, repo, "こんにちは", "世界 🌍 \u2028 line", "bob")
    return repo
