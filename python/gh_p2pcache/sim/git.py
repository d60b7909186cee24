"""Git's objects in memory, named as git names them (SHA-1 of the type, the size and the bytes)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `when` is unix seconds in UTC."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    when: int
    message: str


def object_sha(kind: str, content: bytes) -> str:
    """Return the 40 hex digits that git gives an object."""
    head = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Git:
    """Blobs, trees (name -> (mode, sha)), commits, and refs (`heads/main` -> sha)."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def add_blob(self, content: bytes) -> str:
        """Keep a file's bytes and return their sha."""
        sha = object_sha("blob", content)
        self.blobs[sha] = content
        return sha

    def add_tree(self, entries: dict[str, tuple[str, str]]) -> str:
        """Keep a directory and return its sha; git sorts a directory as if it ended in `/`."""
        items = sorted(entries.items(), key=lambda e: e[0] + ("/" if e[1][0] == "040000" else ""))
        body = b"".join(
            f"{mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(sha)
            for name, (mode, sha) in items
        )
        sha = object_sha("tree", body)
        self.trees[sha] = dict(items)
        return sha

    def add_commit(
        self, tree: str, parents: tuple[str, ...], author: tuple[str, str], when: int, message: str
    ) -> str:
        """Keep a commit of `author` (name, e-mail) and return its sha."""
        name, email = author
        lines = [f"tree {tree}", *(f"parent {sha}" for sha in parents)]
        lines += [f"{role} {name} <{email}> {when} +0000" for role in ("author", "committer")]
        sha = object_sha("commit", ("\n".join(lines) + f"\n\n{message}").encode())
        self.commits[sha] = Commit(sha, tree, parents, name, email, when, message)
        return sha

    def files(self, tree: str, prefix: str = "") -> dict[str, str]:
        """Return every file under a tree, path -> blob sha."""
        found: dict[str, str] = {}
        for name, (mode, sha) in self.trees[tree].items():
            if mode == "040000":
                found |= self.files(sha, f"{prefix}{name}/")
            else:
                found[prefix + name] = sha
        return found

    def write_files(self, files: dict[str, str]) -> str:
        """Keep the trees for `files` (path -> blob sha) and return the root's sha."""
        entries: dict[str, tuple[str, str]] = {}
        below: dict[str, dict[str, str]] = {}
        for path, sha in files.items():
            head, _, rest = path.partition("/")
            if rest:
                below.setdefault(head, {})[rest] = sha
            else:
                entries[head] = ("100644", sha)
        for name, inner in below.items():
            entries[name] = ("040000", self.write_files(inner))
        return self.add_tree(entries)

    def commit_files(
        self,
        branch: str,
        changes: dict[str, bytes | None],
        author: tuple[str, str],
        when: int,
        message: str,
    ) -> str:
        """Put a commit with `changes` (path -> bytes, None removes) on a branch; return its sha."""
        parent = self.refs.get(f"heads/{branch}")
        files = self.files(self.commits[parent].tree) if parent else {}
        for path, content in changes.items():
            if content is None:
                files.pop(path, None)
            else:
                files[path] = self.add_blob(content)
        tree = self.write_files(files)
        sha = self.add_commit(tree, (parent,) if parent else (), author, when, message)
        self.refs[f"heads/{branch}"] = sha
        return sha

    def resolve(self, ref: str) -> str | None:
        """Return the commit that a branch, tag, full ref or sha (7 digits or more) names."""
        name = ref.removeprefix("refs/")
        for candidate in (name, f"heads/{name}", f"tags/{name}"):
            if candidate in self.refs:
                return self.refs[candidate]
        if len(ref) >= 7:
            return next((sha for sha in self.commits if sha.startswith(ref)), None)
        return None

    def history(self, sha: str) -> list[Commit]:
        """Return a commit and its ancestors, the newest first."""
        seen: dict[str, Commit] = {}
        todo = [sha]
        while todo:
            commit = self.commits[todo.pop()]
            if commit.sha not in seen:
                seen[commit.sha] = commit
                todo.extend(commit.parents)
        return sorted(seen.values(), key=lambda commit: -commit.when)

    def changed(self, base: str | None, head: str) -> list[tuple[str, str | None, str | None]]:
        """Return what differs between two commits: (path, blob before, blob after)."""
        before = self.files(self.commits[base].tree) if base else {}
        after = self.files(self.commits[head].tree)
        return [
            (path, before.get(path), after.get(path))
            for path in sorted(before.keys() | after.keys())
            if before.get(path) != after.get(path)
        ]
