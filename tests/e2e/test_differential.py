"""The real gh against the sim, and against an equal sim through us: nobody can tell which is which.

Every command line is compared cold, warm, revalidated and stale, by stdout's bytes, the exit code
and stderr. Writes are done on both sides in the same order, each followed by a read.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gh_p2pcache.installer.progress import Progress
from gh_p2pcache.installer.register import add_alias
from support.api_lines import FLAGS, INPUTS, RAW
from support.commands import ISSUE_FIELDS, READS, WRITES, Command
from support.gateway import Gateway, GatewayFactory
from support.gh import GH, Gh, Run
from support.machine import Machine
from support.sim import ROOT, SECRETS, SimProcess

AT_ONCE = 2
ENTERPRISE = {"GH_ENTERPRISE_TOKEN": SECRETS["alice"]}
R = ("-R", "acme/widgets")

PAST = {
    ("api", "rate_limit", "-q", ".resources.core.limit"),
    ("api", "user/starred/octo/hello", "--silent"),
    ("api", "repos/acme/widgets/zipball/main", "-i", "--silent"),
    ("release", "download", "v1.1.0", *R, "--pattern", "*.zip", "--clobber"),
}
"""What is never kept, so that nothing bridges an outage: 204, redirects to files, rate_limit."""

AFTER_WRITES = [
    Command(("issue", "list", *R, "--state", "all", "--json", ISSUE_FIELDS)),
    Command(("pr", "list", *R, "--state", "all", "--json", "number,title,state,labels,isDraft")),
    Command(("issue", "view", "12", *R, "--comments")),
    Command(("pr", "view", "9", *R, "--json", "title,state,labels,reviews,comments,mergedBy")),
    Command(("label", "list", *R, "--json", "name,color,description")),
    Command(("api", "repos/acme/widgets/issues?state=all", "--paginate", "-q", ".[].title")),
    Command(("api", "repositories/500001001/issues/1", "-q", ".state, .title")),
    Command(("release", "list", *R)),
    Command(("run", "list", *R, "--json", "databaseId,status,conclusion")),
    Command(("repo", "view", "acme/widgets", "--json", "name,description,repositoryTopics")),
    Command(("search", "issues", "--repo", "acme/widgets", "one", "--json", "title")),
    Command(("issue", "list", "-R", "acme/many", "--json", "number,title,labels")),
    Command(("label", "list", "-R", "acme/many")),
    Command(("api", "user/starred", "-q", ".[].full_name")),
]


@dataclass
class Stage:
    """One version of gh: `direct` at a sim of its own, `ttl` and `exact` at the gateway."""

    version: str
    direct: Gh
    ttl: Gh
    exact: Gh
    own: SimProcess
    behind: SimProcess
    gateway: Gateway
    repository: Path
    _runs: dict[str, dict[Command, Run]] = field(default_factory=dict)

    def reads(self) -> list[Command]:
        return [command for command in (*READS, *FLAGS) if command.runs_in(self.version)]

    def run(self, gh: Gh, commands: Iterable[Command]) -> dict[Command, Run]:
        def one(command: Command) -> tuple[Command, Run]:
            return command, gh.run(*command.args, stdin=command.stdin, cwd=self.repository)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(pool.map(one, commands))

    def plain(self) -> dict[Command, Run]:
        """What gh says to the reads without us; asked once."""
        if "plain" not in self._runs:
            self.own.control(reset=True)
            self._runs["plain"] = self.run(self.direct, self.reads())
        return self._runs["plain"]

    def cold(self) -> dict[Command, Run]:
        """What gh says to the reads through a gateway that knows nothing; asked once."""
        if "cold" not in self._runs:
            self._runs["cold"] = self.run(self.ttl, self.reads())
        return self._runs["cold"]


@pytest.fixture(scope="module", params=sorted(GH))
def stage(
    request: pytest.FixtureRequest,
    sim_factory: Callable[[], SimProcess],
    lasting_gateways: GatewayFactory,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stage:
    own, behind = sim_factory(), sim_factory()
    gateway = lasting_gateways(f"unix://{behind.unix}")
    home = tmp_path_factory.mktemp("gh")
    sockets = {"direct": own.unix, "ttl": gateway.path("ttl"), "exact": gateway.path("exact")}
    ghs = {
        name: Gh(request.param, home / name, socket, more=ENTERPRISE)
        for name, socket in sockets.items()
    }
    repository = _clone(home / "repository")
    return Stage(
        request.param, **ghs, own=own, behind=behind, gateway=gateway, repository=repository
    )


def _clone(path: Path) -> Path:
    """What gh takes {owner}, {repo} and {branch} from."""
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True)
    origin = {
        "remote.origin.url": "https://github.com/acme/widgets.git",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
    }
    for name, value in origin.items():
        subprocess.run(["git", "-C", path, "config", name, value], check=True)
    return path


# --- What may differ ---

OURS = {"Age", "Cache-Status", "X-Gh-Cache-Status"}
OF_THE_CALL = {
    "Date", "X-Github-Request-Id", "X-Ratelimit-Remaining", "X-Ratelimit-Used",
    "X-Ratelimit-Reset",
}  # fmt: skip
"""Header fields of `-i` and `--verbose` that differ from call to call of plain gh, too."""

NOT_FOR_HEAD = {"Content-Length"}
"""GitHub was asked for gzip: its length is not that of what the client would get."""

_FIELD = re.compile(rb"^(?:< )?([A-Z][A-Za-z0-9-]*): .*\r?\n", re.MULTILINE)
_WEAK = re.compile(rb'^((?:< )?Etag: )W/(?=")', re.MULTILINE)
_TIME = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SEEDED = b"2025-06-02"
_VERBOSE = re.compile(rb"^(?:\* Request |> X-P2pcache-).*\n", re.MULTILINE)


def comparable(command: Command, out: bytes) -> bytes:
    """Return stdout without what differs from one call of plain gh to the next, and our fields.

    ETags are compared weakly: of a body that we unpacked, GitHub's stays the weak one of gzip.
    """
    out = _TIME.sub(lambda found: found[0] if found[0] < _SEEDED else b"NOW", out)
    if {"-i", "--verbose"}.isdisjoint(command.args):
        return out
    dropped = OURS | OF_THE_CALL | (NOT_FOR_HEAD if "HEAD" in command.args else set())
    names = {name.encode() for name in dropped}
    out = _FIELD.sub(lambda found: b"" if found[1] in names else found[0], out)
    return _WEAK.sub(rb"\1", _VERBOSE.sub(b"", out))


def differences(plain: dict[Command, Run], ours: dict[Command, Run]) -> list[str]:
    """Return what differs, a paragraph each."""
    found = []
    for command, run in ours.items():
        wanted = plain[command]
        pairs = {
            "exit code": (wanted.code, run.code),
            "stdout": (comparable(command, wanted.out), comparable(command, run.out)),
            "stderr": (wanted.err, run.err),
        }
        found += [
            f"{command.name}: {what}\n  plain: {a!r}\n  ours:  {b!r}"
            for what, (a, b) in pairs.items()
            if a != b
        ]
    return found


# --- Reads ---


def test_the_command_lines_are_many_and_do_what_they_should(stage: Stage) -> None:
    """Two commands that fail alike are no comparison."""
    assert len(stage.reads()) > 120
    wrong = [c.name for c, run in stage.plain().items() if bool(run.code) != bool(c.code)]
    assert wrong == []


def test_cold(stage: Stage) -> None:
    assert differences(stage.plain(), stage.cold()) == []


def test_warm(stage: Stage) -> None:
    stage.cold()
    cold = stage.behind.state()["billed"]
    stage.behind.control(reset="counters")
    assert differences(stage.plain(), stage.run(stage.ttl, stage.reads())) == []
    assert stage.behind.state()["billed"] < cold / 2


def test_revalidated_and_stale(stage: Stage) -> None:
    """In small batches: a status that nobody confirmed for a minute bridges nothing."""
    stage.cold()
    reads = stage.reads()
    wrong = []
    for start in range(0, len(reads), 30):
        batch = reads[start : start + 30]
        wrong += differences(stage.plain(), stage.run(stage.exact, batch))
        kept = [c for c in batch if not c.code and c.args not in PAST]
        stage.behind.control(faults=[{"kind": "status", "status": 502}])
        wrong += differences(stage.plain(), stage.run(stage.exact, kept))
        stage.behind.control(faults=[])
    assert wrong == []
    stats = stage.gateway.stats()
    assert stats["revalidated"] > 60
    assert stats["stale"] > 60


def test_without_a_login(stage: Stage, tmp_path: Path) -> None:
    """gh itself says so, with exit code 4, and asks nobody."""
    asked = stage.gateway.stats()
    for arguments in (("api", "user"), ("pr", "list", *R), ("api", "graphql", "-f", "query={a}")):
        said = [
            Gh(stage.version, tmp_path / name, socket, token=None).run(*arguments)
            for name, socket in (("direct", stage.own.unix), ("ttl", stage.gateway.path("ttl")))
        ]
        assert said[0] == said[1]
        assert said[0].code == 4
    assert stage.gateway.stats() == asked


# --- Writes ---


def test_writes_and_what_is_read_after_them(stage: Stage) -> None:
    stage.own.control(reset=True)
    stage.behind.control(reset=True)
    stage.gateway.control("POST", "/purge", {"all": True})
    stage.run(stage.ttl, AFTER_WRITES)
    writes = [c for c in (*WRITES, *INPUTS) if c.runs_in(stage.version)]
    assert len(writes) > 40
    wrong = []
    for number, write in enumerate(writes):
        for command in (write, AFTER_WRITES[number % len(AFTER_WRITES)]):
            both = [stage.run(gh, [command]) for gh in (stage.direct, stage.ttl)]
            wrong += [f"after {write.name}: {d}" for d in differences(*both)]
            if command is write and bool(both[0][write].code) != bool(write.code):
                wrong.append(f"{write.name}: {both[0][write]}")
    wrong += differences(*(stage.run(gh, AFTER_WRITES) for gh in (stage.direct, stage.ttl)))
    assert wrong == []


# --- The whole way: entry point, supervisor, overlay ---


@dataclass
class Home:
    """A machine with the extension's entry point and the shim, and one version of gh."""

    machine: Machine
    version: str
    repository: Path

    def run(self, command: Command) -> Run:
        """Run `gh p2pcache api …`, and anything but api by the shim."""
        entry = ROOT / "gh-p2pcache" if command.args[0] == "api" else self.shim
        return self.do([entry, *command.args], command.stdin, self.repository)

    def do(self, arguments: list[str | Path], stdin: bytes, cwd: Path, **env: str) -> Run:
        """Run a program; of stderr without what the cache says."""
        done = subprocess.run(
            arguments,
            input=stdin,
            env=self.machine.env | ENTERPRISE | {"PATH": f"{self.bin}:{os.environ['PATH']}"} | env,
            cwd=cwd,
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = done.stderr.decode().splitlines(keepends=True)
        others = "".join(line for line in said if not line.startswith(("gh-p2pcache: ", "🔄 ")))
        return Run(done.returncode, done.stdout, others)

    @property
    def doors(self) -> dict[str, list[str | Path]]:
        """The ways to `gh api`, by what a user types."""
        return {
            "gh p2pcache api": [self.bin / "gh", "p2pcache", "api"],
            "git ghapi": ["git", "ghapi"],
            "gh api, by the shim": [self.shim, "api"],
            "gh p2pcache exec": [ROOT / "gh-p2pcache", "exec", "gh", "api"],
        }

    @property
    def bin(self) -> Path:
        return self.machine.root / "bin"

    @property
    def shim(self) -> Path:
        return self.machine.root / "data/gh-p2pcache/shim/gh"

    def set_up(self) -> None:
        self.bin.mkdir()
        (self.bin / "gh").symlink_to(GH[self.version])
        for link in (self.shim, self.machine.root / "data/gh/extensions/gh-p2pcache/gh-p2pcache"):
            link.parent.mkdir(parents=True)
            link.symlink_to(ROOT / "gh-p2pcache")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", self.machine.env["HOME"])
            add_alias(ROOT, Progress())


AT_DOORS = [
    Command(("api", "user", "-q", ".login")),
    Command(("api", "-i", "repos/acme/widgets/labels")),
    Command(("api", "repos/acme/many/issues?per_page=40", "--paginate", "-q", ".[].title")),
    Command(("api", "repos/{owner}/{repo}/contents/docs/gr%C3%B6%C3%9Fe.md", "-H", RAW)),
    Command(("api", "graphql", "-F", "query=@query.graphql")),
    Command(("api", "--hostname", "ghes.example", "user")),
    Command(("api", "-X", "GET", "repos/acme/widgets/issues", "-f", "state=closed")),
    Command(("api", "repos/acme/nothing"), code=1),
    Command(("api", "user", "-q", ".["), code=1),
]


@pytest.fixture(scope="module")
def home(
    stage: Stage, sim_factory: Callable[[], SimProcess], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    machine = Machine(tmp_path_factory.mktemp("m"), sim_factory())
    one = Home(machine, stage.version, stage.repository)
    one.set_up()
    assert machine.do("start").exit_code == 0
    yield one
    machine.end()


def test_by_the_entry_point_and_the_shim(stage: Stage, home: Home) -> None:
    """Cold and warm; `gh auth` reaches the user's own configuration, so its paths differ."""
    commands = [c for c in stage.reads() if c.args[0] != "auth"]
    for _ in range(2):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ours = dict(zip(commands, pool.map(home.run, commands), strict=True))
        assert differences(stage.plain(), ours) == []


def test_by_every_door_in_every_state(stage: Stage, home: Home) -> None:
    """In a folder of a repository, where a file is named relative to it."""
    folder = stage.repository / "docs"
    folder.mkdir(exist_ok=True)
    (folder / "query.graphql").write_text("{ viewer { login } }")
    stage.own.control(reset=True)
    plain = {c: stage.direct.run(*c.args, cwd=folder) for c in AT_DOORS}
    assert [c.name for c, run in plain.items() if bool(run.code) != bool(c.code)] == []
    wrong = []

    def compare(state: str, door: str, commands: list[Command], **env: str) -> None:
        def one(command: Command) -> Run:
            return home.do([*home.doors[door], *command.args[1:]], b"", folder, **env)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            ours = dict(zip(commands, pool.map(one, commands), strict=True))
        wrong.extend(f"{state}, {door}: {found}" for found in differences(plain, ours))

    for door in home.doors:
        assert home.machine.do("purge", "--all", "--yes").exit_code == 0
        compare("cold", door, AT_DOORS)
        compare("warm", door, AT_DOORS, CACHE_PROFILE="ttl")
        compare("revalidated", door, AT_DOORS, CACHE_PROFILE="exact")
        home.machine.sim.control(faults=[{"kind": "status", "status": 502}])
        compare("stale", door, [c for c in AT_DOORS if not c.code], CACHE_PROFILE="exact")
        home.machine.sim.control(faults=[])
    assert wrong == []
    totals = json.loads(home.machine.do("stats", "--json").stdout)["totals"]
    for state in ("hit", "revalidated", "stale"):
        assert totals[state] >= len(home.doors) * 3, state
