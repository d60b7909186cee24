"""`gh p2pcache purge`."""

from __future__ import annotations

import os
import re
import sys

import click

from gh_p2pcache import paths, settings
from gh_p2pcache.cli import control, gh
from gh_p2pcache.cli.output import counted, examples
from gh_p2pcache.errors import UsageError
from gh_p2pcache.supervisor import client

_REPO = re.compile(r"(?:([\w.-]+)/)?([\w.-]+/[\w.-]+)")


@click.command(
    epilog=examples(
        "gh p2pcache purge '/repos/acme/*'",
        "gh p2pcache purge --repo cli/cli",
        "gh p2pcache purge --all --yes",
    )
)
@click.argument("pattern", required=False)
@click.option("--repo", metavar="[HOST/]OWNER/REPO", help="everything of one repository")
@click.option("--all", "everything", is_flag=True, help="everything, whoever's; needs no daemon")
@click.option("--yes", is_flag=True, help="do not ask")
def command(*, pattern: str | None, repo: str | None, everything: bool, yes: bool) -> None:
    """Remove records: those whose API path matches PATTERN, of one repository, or all.

    A pattern reaches the records of the token that gh has here and of all that have asked since the
    daemon started, and those that are shared.
    """
    if sum((pattern is not None, repo is not None, everything)) != 1:
        raise UsageError("purge takes one of PATTERN, --repo and --all")
    if everything:
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("nothing is removed: there is no terminal to ask at (--yes)")
            click.confirm("Remove every record?", abort=True, err=True)
        removed = _all()
    else:
        removed = _some(_repository(repo) if repo else {"pattern": pattern})
    click.echo(f"{counted(removed, 'record')} removed.")


def _all() -> int:
    state = paths.state_dir(os.environ)
    if client.status(state) is not None:
        return int(control.post(state, "/purge", {"all": True}, timeout=None)["removed"])
    from gh_p2pcache.store.disk import DiskStore

    there = settings.load(os.environ, settings.read_file(paths.config_file(os.environ)))
    problems: list[str] = []
    removed = DiskStore(there.cache_dir, there.max_size, on_event=problems.append).clear()
    if problems:
        raise OSError(f"{there.cache_dir} could not be emptied ({problems[0]})")
    return removed


def _some(asked: dict[str, object]) -> int:
    state = paths.state_dir(os.environ)
    client.start(state, os.environ)
    told = control.post(
        state,
        "/purge",
        asked,
        token=gh.any_token(os.environ, str(asked.get("site", ""))),
        timeout=None,
    )
    return int(told["removed"])


def _repository(text: str) -> dict[str, object]:
    match = _REPO.fullmatch(text)
    if match is None:
        raise UsageError(f"--repo takes [HOST/]OWNER/REPO ('{text}' was given)")
    site = match[1] or os.environ.get("GH_HOST") or "github.com"
    return {"repo": match[2], "site": site.lower()}
