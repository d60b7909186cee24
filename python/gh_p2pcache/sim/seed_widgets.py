"""`acme/widgets`, the repository with a bit of everything."""

from __future__ import annotations

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.git import Git
from gh_p2pcache.sim.model import (
    Asset,
    Deployment,
    DeploymentStatus,
    Label,
    Milestone,
    Release,
    Repo,
    Review,
    Status,
    Workflow,
)
from gh_p2pcache.sim.seed_parts import (
    ALICE,
    BIG_ASSET,
    BOB,
    EPOCH,
    HOUR,
    add_comment,
    add_issue,
    add_pull,
    new_repo,
    new_run,
)
from gh_p2pcache.sim.world import World


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


def widgets(world: World) -> Repo:
    """Return the repository."""
    repo = new_repo(world, 1, "acme/widgets", _widgets_git())
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
    broken = add_issue(world, repo, "Widget is broken", "It says **no**.\n\n- [ ] fix it", "bob")
    broken.labels, broken.assignees, broken.milestone = ["bug"], ["alice"], 1
    add_comment(world, broken, "alice", "Looking into it @bob 👀")
    add_comment(world, broken, "bob", "Thanks, that's kind")
    for title, user in (
        ("Größe is wrong in the docs 📏", "carol"),
        ("Done long ago", "alice"),
        ("Support <html> & \"quotes\" in 'names'", "bob"),
    ):
        add_issue(world, repo, title, f"About: {title}", user)
    repo.issues[2].labels = ["documentation", "größe"]
    done = repo.issues[3]
    done.state, done.state_reason = "closed", "completed"
    done.closed_at = done.updated_at = EPOCH - 20 * HOUR
    done.closed_by = "alice"
    for number in range(5, 9):
        add_issue(world, repo, f"Wish number {number}", None, "alice").labels = ["enhancement"]


def _widgets_pulls(world: World, repo: Repo) -> None:
    feature = add_pull(world, repo, "Add the feature", "feature", "bob")
    assert feature.pull
    feature.labels = ["enhancement"]
    feature.pull.reviewers = ["alice"]
    feature.pull.reviews.append(
        Review(
            world.new_id(), "carol", "Nice", "COMMENTED", feature.pull.head_sha, feature.created_at
        )
    )
    add_comment(world, feature, "alice", "Almost there")
    fix = add_pull(world, repo, "Fix größe", "fix-größe", "alice")
    assert fix.pull
    fix.pull.draft = True
    merged = add_pull(world, repo, "Say what changed", "feature", "bob")
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
        run = new_run(repo, number, branch)
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
