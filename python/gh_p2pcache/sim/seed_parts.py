"""What the seeded repositories are made of."""

from __future__ import annotations

from gh_p2pcache.sim.git import Git
from gh_p2pcache.sim.model import Comment, Issue, Job, Label, Pull, Repo, Run
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


def new_repo(world: World, number: int, full_name: str, git: Git) -> Repo:
    """Return repository `number` with the default labels."""
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


def add_issue(world: World, repo: Repo, title: str, body: str | None, user: str) -> Issue:
    """Open the next issue."""
    number = len(repo.issues) + 1
    when = EPOCH - (300 - number) * HOUR
    issue = Issue(world.new_id(), number, title, body, user, when, when)
    repo.issues[number] = issue
    return issue


def add_comment(world: World, issue: Issue, user: str, body: str) -> None:
    """Comment on an issue an hour after its last change."""
    issue.updated_at += HOUR
    when = issue.updated_at
    issue.comments.append(Comment(world.new_id(), user, body, when, when))


def add_pull(world: World, repo: Repo, title: str, head: str, user: str) -> Issue:
    """Open the next pull request, into main."""
    issue = add_issue(world, repo, title, f"Please merge {head}.", user)
    git = repo.git
    issue.pull = Pull(
        world.new_id(), head, "main", git.refs[f"heads/{head}"], git.refs["heads/main"]
    )
    return issue


def new_run(repo: Repo, number: int, branch: str) -> Run:
    """Queue run `number` of CI with two jobs."""
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
