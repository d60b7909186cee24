"""Changes that REST and GraphQL make in the same way. Times are unix seconds."""

from __future__ import annotations

from typing import Any, NamedTuple

from gh_p2pcache.sim.git import Commit, Git
from gh_p2pcache.sim.model import (
    Comment,
    Issue,
    Job,
    Label,
    Pull,
    Release,
    Repo,
    Review,
    Run,
    Workflow,
)
from gh_p2pcache.sim.world import World


class By(NamedTuple):
    """Who changes something, and when (unix seconds)."""

    login: str
    now: float


def new_issue(world: World, repo: Repo, by: By, title: str, body: str | None) -> Issue:
    """Open an issue."""
    number = max(repo.issues, default=0) + 1
    issue = Issue(world.new_id(), number, title, body, by.login, int(by.now), int(by.now))
    repo.issues[number] = issue
    return issue


def edit_issue(repo: Repo, issue: Issue, by: By, wanted: dict[str, Any]) -> None:
    """Change what `wanted` names, in the REST API's words; labels that are new are made."""
    issue.title = wanted.get("title") or issue.title
    issue.body = wanted.get("body", issue.body)
    issue.milestone = wanted.get("milestone", issue.milestone)
    issue.assignees = list(wanted.get("assignees", issue.assignees))
    if "labels" in wanted:
        names = [name["name"] if isinstance(name, dict) else str(name) for name in wanted["labels"]]
        for name in names:
            number = 900_000 + len(repo.labels)
            repo.labels.setdefault(name, Label(number, name, "ededed"))
        issue.labels = names
    if wanted.get("state") in ("open", "closed") and wanted["state"] != issue.state:
        set_state(issue, by, wanted["state"], wanted.get("state_reason"))
    issue.updated_at = int(by.now)


def set_state(issue: Issue, by: By, state: str, reason: str | None = None) -> None:
    """Close or reopen an issue or a pull request."""
    closed = state == "closed"
    issue.state = state
    issue.closed_at, issue.closed_by = (int(by.now), by.login) if closed else (None, None)
    if issue.pull is None:
        issue.state_reason = (reason or "completed") if closed else "reopened"
    issue.updated_at = int(by.now)


def add_comment(world: World, issue: Issue, by: By, text: str) -> Comment:
    """Comment on an issue or a pull request."""
    comment = Comment(world.new_id(), by.login, text, int(by.now), int(by.now))
    issue.comments.append(comment)
    issue.updated_at = int(by.now)
    return comment


def rename_label(repo: Repo, label: Label, name: str) -> None:
    """Give a label another name, on its issues too."""
    former = label.name
    label.name = name
    repo.labels = {value.name: value for value in repo.labels.values()}
    for issue in repo.issues.values():
        issue.labels = [name if item == former else item for item in issue.labels]


def delete_label(repo: Repo, label: Label) -> None:
    """Remove a label, from its issues too."""
    del repo.labels[label.name]
    for issue in repo.issues.values():
        issue.labels = [item for item in issue.labels if item != label.name]


def new_pull(world: World, repo: Repo, by: By, wanted: dict[str, Any]) -> Issue:
    """Open a pull request: `wanted` has head and base (branches), title, body and draft."""
    issue = new_issue(world, repo, by, str(wanted["title"]), wanted.get("body"))
    head, base, refs = str(wanted["head"]), str(wanted["base"]), repo.git.refs
    issue.pull = Pull(world.new_id(), head, base, refs[f"heads/{head}"], refs[f"heads/{base}"])
    issue.pull.draft = bool(wanted.get("draft"))
    return issue


def commits_of(git: Git, pull: Pull) -> list[Commit]:
    """Return what a pull request would add, the oldest first."""
    old = {commit.sha for commit in git.history(pull.base_sha)}
    return [c for c in reversed(git.history(pull.head_sha)) if c.sha not in old]


def merge(world: World, repo: Repo, issue: Issue, by: By) -> str:
    """Merge a pull request by a merge commit and return its sha."""
    pull, git = issue.pull, repo.git
    assert pull is not None
    account = world.account(by.login)
    author = (account.name or by.login if account else by.login, f"{by.login}@example.com")
    base, head = git.refs[f"heads/{pull.base}"], pull.head_sha
    files = git.files(git.commits[base].tree)
    for path, _, after in git.changed(pull.base_sha, head):
        if after is None:
            files.pop(path, None)
        else:
            files[path] = after
    message = f"Merge pull request #{issue.number} from {repo.owner}/{pull.head}\n\n{issue.title}"
    sha = git.add_commit(git.write_files(files), (base, head), author, int(by.now), message)
    git.refs[f"heads/{pull.base}"] = sha
    set_state(issue, by, "closed")
    pull.merged_at, pull.merged_by, pull.merge_sha = int(by.now), by.login, sha
    repo.pushed_at = int(by.now)
    return sha


STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def add_review(world: World, issue: Issue, by: By, *, event: str, body: str) -> Review:
    """Review a pull request: `event` APPROVE, REQUEST_CHANGES or COMMENT."""
    assert issue.pull is not None
    sha = issue.pull.head_sha
    review = Review(
        world.new_id(), by.login, body, STATES.get(event, "COMMENTED"), sha, int(by.now)
    )
    issue.pull.reviews.append(review)
    issue.updated_at = int(by.now)
    return review


def new_release(world: World, repo: Repo, by: By, tag: str) -> Release:
    """Make a draft of a release; publishing it is the caller's."""
    when = int(by.now)
    release = Release(
        world.new_id(), tag, tag, "", by.login, repo.default_branch, when, None, draft=False
    )
    repo.releases.append(release)
    return release


def new_run(world: World, repo: Repo, workflow: Workflow, by: By, branch: str) -> Run:
    """Queue a run of a workflow."""
    number = max((run.number for run in repo.runs), default=0) + 1
    run = Run(
        id=9_000_000_000 + number,
        workflow=workflow.id,
        number=number,
        title=workflow.name,
        event="workflow_dispatch",
        status="queued",
        conclusion=None,
        branch=branch,
        sha=repo.git.refs[f"heads/{branch}"],
        actor=by.login,
        created_at=int(by.now),
        updated_at=int(by.now),
        suite=9_500_000_000 + number,
    )
    run.jobs.append(Job(world.new_id(), "build", "queued", None, int(by.now), None))
    repo.runs.append(run)
    return run


def set_run(run: Run, now: float, status: str, conclusion: str | None) -> None:
    """Move a run and its jobs to a state."""
    run.status, run.conclusion, run.updated_at = status, conclusion, int(now)
    for job in run.jobs:
        job.status, job.conclusion = status, conclusion
        job.completed_at = int(now) if conclusion else None
