"""Records what gh sends as GraphQL into tests/data/gh-graphql.json.

Run from the repository's root: PYTHONPATH=python:tests python -m support.capture
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from support.commands import READS, WRITES, Command
from support.gh import GH, Gh
from support.sim import SECRETS, SimProcess, plain_sim

DATA = Path(__file__).parents[1] / "data" / "gh-graphql.json"


def documents(sim: SimProcess, gh: Gh, command: Command) -> list[dict[str, Any]]:
    """Run a command and return the GraphQL requests it made."""
    sim.control(reset="counters")
    gh.run(*command.args, stdin=command.stdin)
    sent = [r for r in sim.state()["requests"] if r["target"] in ("/graphql", "/api/graphql")]
    return [
        {
            "command": command.name,
            "version": gh.version,
            "host": request["host"],
            "query": body["query"],
            "variables": body.get("variables"),
            "headers": {
                name: value
                for name, value in request["headers"].items()
                if name in ("accept", "graphql-features", "x-gh-cache-ttl")
            },
        }
        for request in sent
        for body in [json.loads(request["body"])]
    ]


def capture(directory: Path) -> list[dict[str, Any]]:
    """Return the GraphQL requests of every command, version and kind of host, each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    sim = plain_sim(directory)
    enterprise = {"GH_HOST": "ghes.example", "GH_ENTERPRISE_TOKEN": SECRETS["alice"]}
    try:
        for version in sorted(GH):
            for name, more in (("dotcom", {}), ("ghes", enterprise)):
                sim.control(reset=True)
                gh = Gh(version, directory / version / name, socket=sim.unix, more=more)
                for command in [c for c in READS + WRITES if c.runs_in(version)]:
                    for document in documents(sim, gh, command):
                        found.setdefault((version, document["query"]), document)
    finally:
        sim.stop()
    return list(found.values())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sim-") as scratch:
        rows = capture(Path(scratch))
    DATA.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
