"""The world at the start: the same every time, small enough to know by heart.

`acme/widgets` has a bit of everything, `acme/private` is closed to most, `acme/many` is for
pages, `octo/hello` has odd bytes; `acme/old-name` was renamed to `acme/widgets`.
"""

from __future__ import annotations

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.git import Git
from gh_p2pcache.sim.model import (
    Account,
    Asset,
    Comment,
    Deployment,
    DeploymentStatus,
    Gist,
    Issue,
    Job,
    Label,
    Milestone,
    Notification,
    Pull,
    Release,
    Repo,
    Review,
    Run,
    Status,
    Workflow,
)
from gh_p2pcache.sim.world import World

EPOCH = 1_748_779_200  # 2025-06-01T12:00:00Z
HOUR = 3600
ALICE = ("Alice Liddell", "alice@example.com")
BOB = ("Bob Dobbs", "bob@example.com")
BIG_ASSET = 200 * 1024 * 1024

LABELS = (
    ("bug", "d73a4a", "Something isn't working"),
    ("documentation", "0075ca", "Improvements or additions to documentation"),
    ("enhancement", "a2eeef", "New feature or request"),
    ("good first issue", "7057ff", "Good for newcomers"),
)


def seed_world() -> World:
    """Return the world as every sim starts with it."""
    world = World()
    _accounts(world)
    for make in (_widgets, _private, _many, _hello):
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


def _repo(world: World, number: int, full_name: str, git: Git) -> Repo:
    owner, name = full_name.split("/")
    repo = Repo(
        id=500_001_000 + number,
        owner=owner,
        name=name,
        git=git,
        created_at=EPOCH - 900 * HOUR,
        updated_at=EPOCH,
        pushed_at=EPOCH,
    )
    for label, color, text in LABELS:
        repo.labels[label] = Label(world.new_id(), label, color, text, default=True)
    return repo


def _issue(world: World, repo: Repo, title: str, body: str | None, user: str) -> Issue:
    number = len(repo.issues) + 1
    when = EPOCH - (300 - number) * HOUR
    issue = Issue(world.new_id(), number, title, body, user, when, when)
    repo.issues[number] = issue
    return issue


def _comment(world: World, issue: Issue, user: str, body: str) -> None:
    issue.updated_at += HOUR
    when = issue.updated_at
    issue.comments.append(Comment(world.new_id(), user, body, when, when))


def _widgets_git() -> Git:
    git = Git()
    first = {
        "README.md": "# Widgets\n\nThey work. ✨\n".encode(),
        "src/widget.py": b"def widget() -> str:\n    return 'widget'\n",
        "docs/größe.md": "Größe: 3 µm\n".encode(),
        "logo.png": bytes.fromhex("89504e470d0a1a0a") + bytes(range(256)),
        ".github/workflows/ci.yml": b"name: CI\non: [push, workflow_dispatch]\n",
    }
    git.commit_files("main", dict(first), ALICE, EPOCH - 200 * HOUR, "Initial commit")
    git.refs["tags/v1.0.0"] = git.refs["heads/main"]
    git.commit_files(
        "main", {"CHANGELOG.md": b"## 1.1.0\n"}, BOB, EPOCH - 100 * HOUR, "Say what changed (#3)"
    )
    git.refs["tags/v1.1.0"] = git.refs["heads/main"]
    branches = (("feature", "src/feature.py"), ("fix-größe", "docs/größe.md"), ("idea", "idea.md"))
    for branch, path in branches:
        git.refs[f"heads/{branch}"] = git.refs["heads/main"]
        content = f"# {branch}\nGröße: 4 µm\n".encode()
        git.commit_files(branch, {path: content}, BOB, EPOCH - 50 * HOUR, f"Work on {branch}")
    return git


def _widgets(world: World) -> Repo:
    repo = _repo(world, 1, "acme/widgets", _widgets_git())
    repo.description = "Widgets that work, naïve ones too 🎛️"
    repo.homepage = "https://widgets.example"
    repo.language, repo.license, repo.stars = "Python", "mit", 42
    repo.topics = ["cache", "widgets"]
    repo.labels["größe"] = Label(world.new_id(), "größe", "c5def5", "Everything about size")
    repo.milestones[1] = Milestone(
        world.new_id(), 1, "v2", EPOCH - 250 * HOUR, "alice", "The second one", due_on=EPOCH * 2
    )
    _widgets_issues(world, repo)
    _widgets_pulls(world, repo)
    _widgets_actions(world, repo)
    _widgets_releases(world, repo)
    return repo


def _widgets_issues(world: World, repo: Repo) -> None:
    broken = _issue(world, repo, "Widget is broken", "It says **no**.\n\n- [ ] fix it", "bob")
    broken.labels, broken.assignees, broken.milestone = ["bug"], ["alice"], 1
    _comment(world, broken, "alice", "Looking into it @bob 👀")
    _comment(world, broken, "bob", "Thanks, that's kind")
    for title, user in (
        ("Größe is wrong in the docs 📏", "carol"),
        ("Done long ago", "alice"),
        ("Support <html> & \"quotes\" in 'names'", "bob"),
    ):
        _issue(world, repo, title, f"About: {title}", user)
    repo.issues[2].labels = ["documentation", "größe"]
    done = repo.issues[3]
    done.state, done.state_reason = "closed", "completed"
    done.closed_at = done.updated_at = EPOCH - 20 * HOUR
    done.closed_by = "alice"
    for number in range(5, 9):
        _issue(world, repo, f"Wish number {number}", None, "alice").labels = ["enhancement"]


def _pull(world: World, repo: Repo, title: str, head: str, user: str) -> Issue:
    issue = _issue(world, repo, title, f"Please merge {head}.", user)
    git = repo.git
    issue.pull = Pull(
        world.new_id(), head, "main", git.refs[f"heads/{head}"], git.refs["heads/main"]
    )
    return issue


def _widgets_pulls(world: World, repo: Repo) -> None:
    feature = _pull(world, repo, "Add the feature", "feature", "bob")
    assert feature.pull
    feature.labels = ["enhancement"]
    feature.pull.reviewers = ["alice"]
    feature.pull.reviews.append(
        Review(
            world.new_id(), "carol", "Nice", "COMMENTED", feature.pull.head_sha, feature.created_at
        )
    )
    _comment(world, feature, "alice", "Almost there")
    fix = _pull(world, repo, "Fix größe", "fix-größe", "alice")
    assert fix.pull
    fix.pull.draft = True
    merged = _pull(world, repo, "Say what changed", "feature", "bob")
    assert merged.pull
    merged.state, merged.closed_at, merged.closed_by = "closed", EPOCH - 100 * HOUR, "alice"
    merged.pull.head_sha = merged.pull.merge_sha = repo.git.refs["tags/v1.1.0"]
    merged.pull.base_sha = repo.git.refs["tags/v1.0.0"]
    merged.pull.merged_at, merged.pull.merged_by = merged.closed_at, "alice"


def _widgets_actions(world: World, repo: Repo) -> None:
    repo.workflows = [
        Workflow(8_000_001, "CI", ".github/workflows/ci.yml", EPOCH - 200 * HOUR),
        Workflow(8_000_002, "Nightly", ".github/workflows/nightly.yml", EPOCH - 200 * HOUR),
    ]
    for number, (branch, status, conclusion, title) in enumerate(
        (
            ("main", "completed", "success", "Say what changed (#3)"),
            ("feature", "completed", "failure", "Add the feature"),
            ("fix-größe", "in_progress", None, "Fix größe"),
        ),
        start=1,
    ):
        run = _run(repo, number, branch)
        run.title = title
        changes.set_run(run, run.created_at + 95, status, conclusion)
    for state, context in (("success", "ci/lint"), ("pending", "ci/deploy")):
        repo.statuses.append(
            Status(
                world.new_id(),
                repo.git.refs["heads/feature"],
                state,
                context,
                f"{context} says {state}",
                "https://ci.example/1",
                "bob",
                EPOCH - 49 * HOUR,
            )
        )
    deployment = Deployment(
        world.new_id(), repo.git.refs["heads/main"], "main", "production", "alice", EPOCH - HOUR
    )
    deployment.statuses.append(
        DeploymentStatus(world.new_id(), "success", "Live", "alice", EPOCH - HOUR + 60)
    )
    repo.deployments.append(deployment)


def _run(repo: Repo, number: int, branch: str) -> Run:
    start = EPOCH - (50 - number) * HOUR
    run = Run(
        id=9_000_000_000 + number,
        workflow=8_000_001,
        number=number,
        title="",
        event="push",
        status="queued",
        conclusion=None,
        branch=branch,
        sha=repo.git.refs[f"heads/{branch}"],
        actor="bob",
        created_at=start,
        updated_at=start,
        suite=9_500_000_000 + number,
    )
    log = f"2025-05-30T10:00:00.0000000Z ##[group]Run make\n2025-05-30T10:00:01.0000000Z {branch}\n"
    for job, name in enumerate(("build", "test")):
        run.jobs.append(
            Job(9_900_000_000 + number * 10 + job, name, "queued", None, start, None, log)
        )
    repo.runs.append(run)
    return run


def _widgets_releases(world: World, repo: Repo) -> None:
    for number, (tag, prerelease) in enumerate((("v1.0.0", False), ("v1.1.0", False))):
        when = EPOCH - (200 - 100 * number) * HOUR
        release = Release(
            world.new_id(),
            tag,
            f"Widgets {tag[1:]}",
            f"Notes of {tag}",
            "alice",
            "main",
            when,
            when,
        )
        release.prerelease = prerelease
        repo.releases.append(release)
    files = ((b"PK\x03\x04 not really a zip\x00\xff", "widgets.zip"), (None, "big.bin"))
    for content, name in files:
        size = BIG_ASSET if content is None else len(content)
        when = repo.releases[1].created_at
        repo.releases[1].assets.append(
            Asset(
                world.new_id(),
                name,
                "application/octet-stream",
                size,
                "alice",
                when,
                when,
                content=content,
            )
        )
    draft = Release(
        world.new_id(), "v2.0.0", "Widgets 2.0.0", "Soon", "alice", "main", EPOCH, None, draft=True
    )
    repo.releases.append(draft)


def _private(world: World) -> Repo:
    git = Git()
    files: dict[str, bytes | None] = {"README.md": b"# Private\n", "secret.txt": b"sesame\n"}
    git.commit_files("main", files, ALICE, EPOCH - 90 * HOUR, "Initial commit")
    repo = _repo(world, 2, "acme/private", git)
    repo.private, repo.description = True, "Not for everybody"
    _issue(world, repo, "A private matter", "Between us", "alice")
    git.refs["heads/topic"] = git.refs["heads/main"]
    git.commit_files("topic", {"topic.txt": b"topic\n"}, ALICE, EPOCH - 80 * HOUR, "Topic")
    _pull(world, repo, "A private change", "topic", "alice")
    repo.workflows = [Workflow(8_000_003, "CI", ".github/workflows/ci.yml", EPOCH - 90 * HOUR)]
    run = _run(repo, 101, "topic")
    run.title, run.workflow = "A private change", 8_000_003
    changes.set_run(run, run.created_at + 95, "completed", "success")
    return repo


def _many(world: World) -> Repo:
    git = Git()
    for number in range(35):
        message = f"Commit {number}"
        when = EPOCH - (80 - number) * HOUR
        git.commit_files("main", {"count.txt": f"{number}\n".encode()}, ALICE, when, message)
    repo = _repo(world, 3, "acme/many", git)
    for number in range(1, 96):
        _issue(world, repo, f"Issue {number} of many", f"Text {number}\n" * 8, "alice")
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
    repo = _repo(world, 4, "octo/hello", git)
    repo.default_branch, repo.description, repo.stars = "master", "Hello, 世界", 7
    _issue(world, repo, "こんにちは", "世界 🌍 \u2028 line", "bob")
    return repo
