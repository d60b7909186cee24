"""Git's objects: the names that the real git gives, and what differs between commits."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.sim.diff import diff_text
from gh_p2pcache.sim.git import Git, object_sha

WHO = ("Alice Liddell", "alice@example.com")
paths = st.lists(st.text("abc.ö-", min_size=1, max_size=4), min_size=1, max_size=3)


def real(home: Path, *arguments: str, stdin: bytes = b"") -> str:
    who = {"NAME": WHO[0], "EMAIL": WHO[1], "DATE": "1750000000 +0000"}
    env = {f"GIT_{role}_{name}": v for role in ("AUTHOR", "COMMITTER") for name, v in who.items()}
    env |= {"HOME": str(home), "PATH": os.environ["PATH"]}
    command = ["git", "-c", "i18n.commitEncoding=utf-8", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, env=env, cwd=home, check=True)
    return done.stdout.decode().strip()


def test_the_real_git_gives_the_same_names(tmp_path: Path) -> None:
    files: dict[str, bytes | None] = {
        "README.md": b"# Hello\n",
        "a/b.txt": "Größe\n".encode(),
        "a.txt": b"",
        "a-b/c": bytes(range(256)),
    }
    git = Git()
    first = git.commit_files("main", dict(files), WHO, 1_750_000_000, "First: größer")
    second = git.commit_files("main", {"a.txt": None}, WHO, 1_750_000_000, "Second")
    real(tmp_path, "init", "-q", "-b", "main")
    for path, content in files.items():
        place = tmp_path / path
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content or b"")
    real(tmp_path, "add", ".")
    real(tmp_path, "commit", "-q", "--cleanup=verbatim", "-m", "First: größer")
    real(tmp_path, "rm", "-q", "a.txt")
    real(tmp_path, "commit", "-q", "--cleanup=verbatim", "-m", "Second")
    names = real(tmp_path, "log", "--format=%H %T", "--reverse").splitlines()
    trees = [git.commits[sha].tree for sha in (first, second)]
    ours = [f"{sha} {tree}" for sha, tree in zip((first, second), trees, strict=True)]
    # `commit -m` ends the message in a newline, GitHub's API does not
    assert [line.split()[1] for line in names] == [line.split()[1] for line in ours]
    raw = f"tree {trees[0]}\n" + "".join(
        f"{role} {WHO[0]} <{WHO[1]}> 1750000000 +0000\n" for role in ("author", "committer")
    )
    commit = (raw + "\nFirst: größer").encode()
    assert real(tmp_path, "hash-object", "-t", "commit", "--stdin", stdin=commit) == first


@given(st.binary())
def test_blobs_are_named_by_their_bytes(content: bytes) -> None:
    git = Git()
    sha = git.add_blob(content)
    assert sha == object_sha("blob", content)
    assert git.blobs[sha] == content


@given(st.dictionaries(paths.map("/".join), st.binary(max_size=5), min_size=1, max_size=6))
def test_what_is_committed_is_found(files: dict[str, bytes]) -> None:
    # a path cannot be a file and a directory
    kept = {p: c for p, c in files.items() if not any(q.startswith(f"{p}/") for q in files)}
    git = Git()
    sha = git.commit_files("main", dict(kept), WHO, 1, "m")
    found = git.files(git.commits[sha].tree)
    assert {path: git.blobs[blob] for path, blob in found.items()} == kept


@pytest.mark.parametrize("ref", ["main", "heads/main", "refs/heads/main"])
def test_names_of_a_commit(ref: str) -> None:
    git = Git()
    sha = git.commit_files("main", {"f": b"1"}, WHO, 1, "m")
    assert git.resolve(ref) == git.resolve(sha) == git.resolve(sha[:7]) == sha
    assert git.resolve(sha[:6]) is None
    assert git.resolve("nothing") is None


def test_a_patch_applies(tmp_path: Path) -> None:
    git = Git()
    first = git.commit_files("main", {"f": b"1\n2\n3\n", "gone": b"x\n"}, WHO, 1, "m")
    changes = {"f": b"1\nzwei\n3\n", "gone": None, "new": b"y\n"}
    second = git.commit_files("main", changes, WHO, 2, "n")
    real(tmp_path, "init", "-q")
    (tmp_path / "f").write_bytes(b"1\n2\n3\n")
    (tmp_path / "gone").write_bytes(b"x\n")
    real(tmp_path, "apply", stdin=diff_text(git, first, second).encode())
    there = {f.name: f.read_bytes() for f in tmp_path.iterdir() if f.is_file()}
    assert there == {"f": b"1\nzwei\n3\n", "new": b"y\n"}
