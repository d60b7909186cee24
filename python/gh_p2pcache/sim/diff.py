"""What two commits differ in: files, hunks, and the diff and patch media types."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime, timezone

from gh_p2pcache.sim.git import Commit, Git


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs: its hunks (None for binary ones) and their lines' numbers."""

    path: str
    status: str
    before: str | None
    after: str | None
    hunks: str | None
    added: int
    deleted: int


def changed_files(git: Git, base: str | None, head: str) -> list[ChangedFile]:
    """Return the files that differ between two commits."""
    return [_compare(git, *item) for item in git.changed(base, head)]


def _compare(git: Git, path: str, before: str | None, after: str | None) -> ChangedFile:
    status = "added" if before is None else "removed" if after is None else "modified"
    old = git.blobs[before] if before else b""
    new = git.blobs[after] if after else b""
    if b"\0" in old + new:
        return ChangedFile(path, status, before, after, None, 0, 0)
    lines = list(
        difflib.unified_diff(
            old.decode("utf-8", "replace").splitlines(),
            new.decode("utf-8", "replace").splitlines(),
            lineterm="",
        )
    )[2:]
    added = sum(line.startswith("+") for line in lines)
    deleted = sum(line.startswith("-") for line in lines)
    return ChangedFile(path, status, before, after, "\n".join(lines), added, deleted)


def diff_text(git: Git, base: str | None, head: str) -> str:
    """Return the differences as `git diff` prints them."""
    parts: list[str] = []
    for file in changed_files(git, base, head):
        parts.append(f"diff --git a/{file.path} b/{file.path}")
        if file.before is None:
            parts.append("new file mode 100644")
        if file.after is None:
            parts.append("deleted file mode 100644")
        parts.append(f"index {(file.before or '0' * 7)[:7]}..{(file.after or '0' * 7)[:7]}")
        if file.hunks is None:
            parts.append(f"Binary files a/{file.path} and b/{file.path} differ")
        elif file.hunks:
            parts.append("--- " + (f"a/{file.path}" if file.before else "/dev/null"))
            parts.append("+++ " + (f"b/{file.path}" if file.after else "/dev/null"))
            parts.append(file.hunks)
    return "\n".join(parts) + "\n" if parts else ""


def patch_text(git: Git, commits: list[Commit]) -> str:
    """Return commits as `git format-patch` prints them, the oldest first."""
    parts: list[str] = []
    for number, commit in enumerate(commits, 1):
        date = datetime.fromtimestamp(commit.when, timezone.utc)
        place = f" {number}/{len(commits)}" if len(commits) > 1 else ""
        parts.append(
            f"From {commit.sha} Mon Sep 17 00:00:00 2001\n"
            f"From: {commit.author} <{commit.email}>\n"
            f"Date: {date:%a, %d %b %Y %H:%M:%S +0000}\n"
            f"Subject: [PATCH{place}] {commit.message}\n\n---\n"
            + diff_text(git, commit.parents[0] if commit.parents else None, commit.sha)
            + "--\n"
        )
    return "\n".join(parts)
