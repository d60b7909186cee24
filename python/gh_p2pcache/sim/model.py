"""What the small GitHub holds, as plain values. Times are unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from gh_p2pcache.sim.git import Git


@dataclass(slots=True)
class Account:
    """A user, an organization or a bot."""

    id: int
    login: str
    kind: str = "User"
    name: str | None = None
    email: str | None = None
    created_at: int = 1_300_000_000
    updated_at: int = 1_700_000_000


@dataclass(slots=True)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str
    description: str | None = None
    default: bool = False


@dataclass(slots=True)
class Milestone:
    """A milestone of a repository."""

    id: int
    number: int
    title: str
    created_at: int
    creator: str
    description: str | None = None
    state: str = "open"
    due_on: int | None = None


@dataclass(slots=True)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    user: str
    body: str
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Review:
    """A review of a pull request."""

    id: int
    user: str
    body: str
    state: str
    sha: str
    submitted_at: int


@dataclass(slots=True)
class Pull:
    """What makes an issue a pull request."""

    id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    merged_at: int | None = None
    merged_by: str | None = None
    merge_sha: str | None = None
    mergeable: bool | None = True
    reviews: list[Review] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Issue:
    """An issue, or with `pull` a pull request."""

    id: int
    number: int
    title: str
    body: str | None
    user: str
    created_at: int
    updated_at: int
    state: str = "open"
    state_reason: str | None = None
    closed_at: int | None = None
    closed_by: str | None = None
    locked: bool = False
    lock_reason: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    milestone: int | None = None
    comments: list[Comment] = field(default_factory=list)
    pull: Pull | None = None


@dataclass(slots=True)
class Asset:
    """A file of a release; without `content` it is `size` bytes of a fixed pattern."""

    id: int
    name: str
    content_type: str
    size: int
    uploader: str
    created_at: int
    updated_at: int
    label: str | None = None
    content: bytes | None = None


@dataclass(slots=True)
class Release:
    """A release and its files."""

    id: int
    tag: str
    name: str
    body: str
    author: str
    target: str
    created_at: int
    published_at: int | None
    draft: bool = False
    prerelease: bool = False
    assets: list[Asset] = field(default_factory=list)


@dataclass(slots=True)
class Workflow:
    """A workflow file of GitHub Actions."""

    id: int
    name: str
    path: str
    created_at: int
    state: str = "active"


@dataclass(slots=True)
class Job:
    """A job of a run; it is a check run as well."""

    id: int
    name: str
    status: str
    conclusion: str | None
    started_at: int
    completed_at: int | None
    log: str = ""


@dataclass(slots=True)
class Run:
    """A run of a workflow."""

    id: int
    workflow: int
    number: int
    title: str
    event: str
    status: str
    conclusion: str | None
    branch: str
    sha: str
    actor: str
    created_at: int
    updated_at: int
    attempt: int = 1
    suite: int = 0
    jobs: list[Job] = field(default_factory=list)


@dataclass(slots=True)
class Status:
    """A commit status."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: int


@dataclass(slots=True)
class DeploymentStatus:
    """One state a deployment went through."""

    id: int
    state: str
    description: str
    creator: str
    created_at: int


@dataclass(slots=True)
class Deployment:
    """A deployment of a commit."""

    id: int
    sha: str
    ref: str
    environment: str
    creator: str
    created_at: int
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(slots=True)
class Repo:
    """A repository and everything in it."""

    id: int
    owner: str
    name: str
    git: Git
    created_at: int
    updated_at: int
    pushed_at: int
    private: bool = False
    archived: bool = False
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    license: str | None = None
    default_branch: str = "main"
    topics: list[str] = field(default_factory=list)
    stars: int = 0
    labels: dict[str, Label] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """Return owner/name."""
        return f"{self.owner}/{self.name}"


@dataclass(slots=True)
class Gist:
    """A gist: file name -> text."""

    id: str
    owner: str
    description: str
    public: bool
    files: dict[str, str]
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Notification:
    """A thread in somebody's inbox."""

    id: int
    user: str
    repo: int
    issue: int
    reason: str
    updated_at: int
    unread: bool = True
