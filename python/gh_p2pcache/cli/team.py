"""`gh p2pcache team create | invite | join | list | leave | rotate | trust | untrust`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from gh_p2pcache import paths, settings
from gh_p2pcache.cli.output import duration, examples, heading, moment, say_json, table
from gh_p2pcache.errors import ConfigError, DaemonError, UsageError
from gh_p2pcache.parsers import parse_duration, parse_list
from gh_p2pcache.records.seal import team_keys
from gh_p2pcache.supervisor import client
from gh_p2pcache.teams import SHARED, Membership, changes, load_teams, memberships

_GRACE = "7d"


@click.group(
    epilog=examples(
        "gh p2pcache team create acme --share 'acme/*'",
        "gh p2pcache team invite acme",
        "gh p2pcache team join",
    )
)
def command() -> None:
    """Share answers with the machines of a team: of the repositories that it names, no others.

    A machine becomes a member by an invite, which holds the team's secret: hand it over as you
    would a password. A repository that several teams name belongs to the one joined first.
    """


@command.command(
    epilog=examples(
        "gh p2pcache team create acme --share 'acme/*'",
        "gh p2pcache team create web --share acme/site --share acme/shop",
    )
)
@click.argument("name")
@click.option(
    "--share",
    multiple=True,
    required=True,
    metavar="PATTERN",
    help="[HOST/]OWNER/REPO, or 'OWNER/*'",
)
@click.option(
    "--bootstrap", multiple=True, metavar="ADDR", help="a member to dial: /dns/HOST/tcp/9100"
)
def create(*, name: str, share: tuple[str, ...], bootstrap: tuple[str, ...]) -> None:
    """Make a team and be its first member."""
    made = changes.create(_state(), name, _with_host(share), bootstrap, _warn)
    click.echo(f"Team {name} shares {', '.join(made.team.share)}. {_where(made)}")
    _renew()
    click.echo(f"Each other machine takes an invite: gh p2pcache team invite {name}")


@command.command(
    epilog=examples(
        "gh p2pcache team invite",
        "gh p2pcache team invite acme | ssh runner1 gh p2pcache team join -",
        "gh p2pcache team invite acme --bootstrap /dns/cache.acme.dev/tcp/9100",
    )
)
@click.argument("name", required=False)
@click.option(
    "--bootstrap",
    multiple=True,
    metavar="ADDR",
    help="a member to dial, from now on in every invite",
)
def invite(*, name: str | None, bootstrap: tuple[str, ...]) -> None:
    """Print what makes another machine a member. It holds the secret: it is a password."""
    name = _the_team(name)
    word = changes.invite(_state(), name, bootstrap)
    if sys.stdout.isatty():
        click.echo(f"Who has this is a member of {name}. There: gh p2pcache team join", err=True)
    click.echo(word)
    if bootstrap:
        _renew(err=True)


@command.command(
    epilog=examples(
        "gh p2pcache team join",
        "gh p2pcache team join - < invite.txt",
        "gh p2pcache team join --secret fleet --share 'acme/*' < secret.txt",
    )
)
@click.argument("invite", required=False, metavar="[INVITE | -]")
@click.option(
    "--secret",
    "name",
    metavar="NAME",
    help="by the others' CACHE_P2P_SHARED_SECRET, not an invite; NAME is the team's name here",
)
@click.option(
    "--share",
    multiple=True,
    metavar="PATTERN",
    help="with --secret: [HOST/]OWNER/REPO, or 'OWNER/*'",
)
def join(*, invite: str | None, name: str | None, share: tuple[str, ...]) -> None:
    """Become a member by an INVITE.

    Without one it is asked for, or read from a pipe: on a command line it would stay in the
    shell's history and be seen by others while it runs.
    """
    if bool(name) != bool(share):
        raise UsageError("--secret and --share go together")
    if name:
        secret = _given(invite, "Secret").strip()
        named = _with_host(share)
        member, is_new = changes.join_by_secret(_state(), name, secret, named, _warn)
        _say_joined(member, is_new=is_new)
        return
    member, is_new = changes.join(_state(), _given(invite, "Invite"), _warn)
    _say_joined(member, is_new=is_new)


def _with_host(share: Sequence[str]) -> tuple[str, ...]:
    """Give patterns that name no host that of GH_HOST, where it is set, as gh does."""
    names, host = parse_list(",".join(share)), os.environ.get("GH_HOST", "")
    if host in {"", "github.com"}:
        return names
    return tuple(f"{host}/{name}" if name.count("/") == 1 else name for name in names)


def _say_joined(member: Membership, *, is_new: bool) -> None:
    team = member.team
    if not is_new:
        click.echo(f"This machine is in team {team.name} already; what it shares was renewed:")
    else:
        click.echo(f"This machine is in team {team.name}. {_where(member)}")
    click.echo(f"Shared with its members: {', '.join(team.share)}.")
    if team.old_secret:
        click.echo(f"The secret of before is readable until {moment(team.old_until)}.")
    _renew()


@command.command("list", epilog=examples("gh p2pcache team list", "gh p2pcache team list --json"))
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_(*, as_json: bool) -> None:
    """Show this machine's teams, in order: a repository belongs to the first that names it.

    Machines with the same secret show the same fingerprint, which tells nothing of it.
    """
    there = settings.in_force(os.environ)
    prints = {team.name: team_keys(team.secret).id.hex() for team in load_teams(there, _warn)}
    joined = memberships(_state(), lambda _: None)
    if as_json:
        say_json([_as_json(member, prints.get(member.team.name)) for member in joined])
        return
    rows = [[*_row(member), prints.get(member.team.name, "")] for member in joined]
    if there.secret:
        share = ", ".join(there.share)
        rows.append([SHARED, share, "", "", "CACHE_P2P_SHARED_SECRET", prints[SHARED]])
    if not rows:
        click.echo("This machine is in no team. gh p2pcache team create, or team join")
        return
    columns = heading("team", "shares", "since", "may publish", "secret", "fingerprint")
    click.echo(table([columns, *rows]))


@command.command(epilog=examples("gh p2pcache team leave acme"))
@click.argument("name")
def leave(*, name: str) -> None:
    """Be no member any more: what was shared under the team's secret can't be read here again.

    The other members notice nothing. To keep somebody out who has the secret: team rotate.
    """
    changes.leave(_state(), name, _warn)
    click.echo(f"This machine has left team {name}.")
    _renew()


@command.command(
    epilog=examples(
        "gh p2pcache team rotate",
        "gh p2pcache team rotate acme --grace 1d",
        "gh p2pcache team rotate acme --grace 0",
    )
)
@click.argument("name", required=False)
@click.option(
    "--grace",
    default=_GRACE,
    show_default=True,
    metavar="DURATION",
    help="how long what the old secret sealed stays readable",
)
def rotate(*, name: str | None, grace: str) -> None:
    """Give the team a new secret. Who has no new invite by the end of the grace is out."""
    name = _the_team(name)
    seconds = _grace(grace)
    changes.rotate(_state(), name, seconds, _warn)
    until = f"for {duration(seconds)} more" if seconds else "no longer"
    click.echo(f"Team {name} has a new secret; what the old one sealed is readable {until}.")
    _renew()
    click.echo(f"Hand to every member, and to no one else, a new: gh p2pcache team invite {name}")
    click.echo("Each of them: gh p2pcache team join")


@command.command(
    epilog=examples(
        "gh p2pcache team trust 12D3KooW…",
        "gh p2pcache team trust --only 12D3KooW… 12D3KooW…",
        "gh p2pcache team trust --all",
    )
)
@click.argument("peers", nargs=-1, metavar="PEER...")
@click.option("--team", "name", metavar="NAME", help="of this team alone, not of all")
@click.option("--only", is_flag=True, help="take records of these peers alone")
@click.option("--all", "everybody", is_flag=True, help="take records of every member again")
def trust(*, peers: tuple[str, ...], name: str | None, only: bool, everybody: bool) -> None:
    """Take these peers' records again after `untrust`; with --only, those of no other peer."""
    if everybody == bool(peers) or (everybody and only):
        raise UsageError("team trust takes PEER, --only PEER or --all")
    changes.trust(_state(), _teams(name), peers, only=only or everybody)
    if everybody:
        click.echo("Records of every member are taken, but of those named by team untrust.")
    else:
        click.echo(f"Records of {_counted(peers)} are taken{', and no others' if only else ''}.")
    _renew()


@command.command(epilog=examples("gh p2pcache team untrust 12D3KooW…"))
@click.argument("peers", nargs=-1, required=True, metavar="PEER...")
@click.option("--team", "name", metavar="NAME", help="of this team alone, not of all")
def untrust(*, peers: tuple[str, ...], name: str | None) -> None:
    """Take no records of these peers any more, whoever hands them on."""
    changes.untrust(_state(), _teams(name), peers)
    click.echo(f"Records of {_counted(peers)} are not taken any more.")
    _renew()


def _state() -> Path:
    return paths.state_dir(os.environ)


def _warn(line: str) -> None:
    click.echo(f"gh-p2pcache: {line}", err=True)


def _where(member: Membership) -> str:
    where = "in the keyring" if member.in_keyring else "in a file that only you can read"
    return f"Its secret is {where}."


def _the_team(name: str | None) -> str:
    """Return the name given, or that of the only team."""
    if name:
        return name
    names = [member.team.name for member in memberships(_state(), _warn)]
    if len(names) != 1:
        which = ", ".join(names) or "there is none: gh p2pcache team create"
        raise UsageError(f"say which team ({which})")
    return names[0]


def _teams(name: str | None) -> list[str]:
    names = [name] if name else [member.team.name for member in memberships(_state(), _warn)]
    if not names:
        raise UsageError("this machine is in no team; for a bare secret: CACHE_TRUSTED_PEERS")
    return names


def _given(word: str | None, prompt: str) -> str:
    if word and word != "-":
        return word
    if word == "-" or not sys.stdin.isatty():
        return sys.stdin.read()
    answer: str = click.prompt(prompt, hide_input=True, err=True)
    return answer


def _grace(text: str) -> float:
    try:
        return parse_duration(text)
    except ConfigError as error:
        raise UsageError(f"--grace {error} ('{text}' was given)") from error


def _counted(peers: tuple[str, ...]) -> str:
    return peers[0] if len(peers) == 1 else f"{len(peers)} peers"


def _publishers(member: Membership) -> str:
    team = member.team
    who = f"{len(team.trusted)} named" if team.trusted else "every member"
    return f"{who} but {len(team.untrusted)}" if team.untrusted else who


def _row(member: Membership) -> list[str]:
    where = "keyring" if member.in_keyring else "file"
    if member.team.old_until > time.time():
        where += f", the old one until {moment(member.team.old_until)}"
    team = member.team
    return [team.name, ", ".join(team.share), moment(member.joined), _publishers(member), where]


def _as_json(member: Membership, fingerprint: str | None) -> dict[str, object]:
    team = member.team
    return {
        "name": team.name,
        "share": team.share,
        "bootstrap": team.bootstrap,
        "joined": member.joined,
        "secret_in": "keyring" if member.in_keyring else "file",
        "fingerprint": fingerprint,
        "rotations": member.generation,
        "old_secret_until": team.old_until if team.old_until > time.time() else None,
        "trusted": team.trusted,
        "untrusted": team.untrusted,
    }


def _renew(*, err: bool = False) -> None:
    """Have a running daemon take the change, which fails no call."""
    try:
        if client.renew(_state()):
            click.echo("The daemon has taken it over.", err=err)
    except DaemonError as error:
        _warn(f"{error}; gh p2pcache restart has the daemon take it over")
