"""Command lines of `gh api` with every flag it has, and what goes wrong with them."""

from support.commands import MANY, Command

ISSUES = "repos/acme/many/issues?per_page=40"
QUERY = (
    "query=query($n: Int!) { viewer { login } "
    'repository(owner: "acme", name: "widgets") { issue(number: $n) { title } } }'
)
OWNED = (
    "query=query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }"
)
NUMBERS = ".data.repository.issues.nodes[].number"
RAW = "Accept: application/vnd.github.raw"


def _api(*lines: tuple[str, ...], since: tuple[int, ...] = (2, 23), code: int = 0) -> list[Command]:
    return [Command(("api", *line), since, code) for line in lines]


FLAGS = [
    *_api(
        ("user", "--jq", ".login, .id"),
        ("user", "-q", "{login, kind: .type}"),
        ("user", "--template", '{{tablerow .login (printf "%v" .id)}}{{tablerender}}'),
        ("repos/acme/widgets/labels", "-t", '{{range .}}{{.name}} {{end}}{{"\\n"}}'),
        (ISSUES, "--paginate"),
        (ISSUES, "--paginate", "-q", ".[] | [.number, .title] | @tsv"),
        (ISSUES, "--paginate", "-t", "{{range .}}{{.number}} {{end}}"),
        (ISSUES, "--paginate", "-i", "-q", ".[].number"),
        ("graphql", "--paginate", "-f", f"query={MANY}", "-q", NUMBERS),
        ("graphql", "-f", QUERY, "-F", "n=1"),
        ("graphql", "-f", QUERY, "-F", "n=1", "-H", "Accept: application/vnd.github+json"),
        ("-X", "GET", "repos/acme/widgets/issues", "-f", "state=closed", "-F", "per_page=2"),
        ("--method", "GET", "search/issues", "-f", "q=repo:acme/widgets x", "-q", ".total_count"),
        ("-X", "HEAD", "user", "-i"),
        ("-H", RAW, "repos/acme/widgets/contents/docs/gr%C3%B6%C3%9Fe.md"),
        ("-H", RAW, "-H", "X-GitHub-Api-Version: 2022-11-28", "repos/octo/hello/contents/空.txt"),
        ("repos/acme/widgets", "-p", "corsair", "-q", ".full_name"),
        ("repos/acme/widgets", "--preview", "corsair,baptiste", "-q", ".full_name"),
        ("repos/acme/widgets", "--silent"),
        ("repos/acme/widgets/labels", "-i", "--silent"),
        ("repos/acme/widgets/labels", "-i"),
        ("--hostname", "github.com", "user"),
        ("--hostname", "ghes.example", "user"),
        ("--hostname", "ghes.example", "repos/acme/widgets/labels", "--paginate", "-q", ".[].name"),
        ("--hostname", "ghes.example", "graphql", "-f", "query={viewer{login}}"),
        ("https://api.github.com/user",),
        ("/user",),
        ("repos/{owner}/{repo}", "-q", ".full_name"),
        ("repos/:owner/:repo/labels", "-q", ".[].name"),
        ("repos/{owner}/{repo}/commits/{branch}", "-q", ".sha"),
        ("graphql", "-F", "owner={owner}", "-F", "name={repo}", "-f", OWNED),
        ("user", "--cache", "1h", "-q", ".login"),
        ("user", "--cache", "0s", "-q", ".login"),
        ("repos/acme/widgets/contents/src?ref=feature", "-q", ".[].path"),
        ("repos/acme/widgets/git/trees/main?recursive=true", "-q", ".tree[].path"),
        ("repos/acme/widgets/zipball/main", "-i", "--silent"),
    ),
    *_api(
        (ISSUES, "--paginate", "--slurp"),
        (ISSUES, "--paginate", "--slurp", "-i", "--silent"),
        ("repos/acme/widgets/labels", "--verbose"),
        ("--hostname", "acme.ghe.com", "user"),
        since=(2, 60),
    ),
    *_api(
        ("repos/acme/nothing",),
        ("repos/acme/nothing", "-i"),
        ("repos/acme/nothing", "--silent"),
        ("repos/acme/nothing", "-q", ".message"),
        ("repos/acme/nothing", "--paginate"),
        ("repos/acme/widgets/issues/4711", "-t", "{{.message}}"),
        ("user", "-q", ".["),
        ("user", "-t", "{{.login"),
        ("user", "--no-such-flag"),
        ("user", "extra"),
        ("user", "--cache", "soon"),
        ("user", "-q", ".login", "--silent"),
        ("graphql", "-f", 'query={repository(owner:"acme",name:"nothing"){id}}', "-q", ".data"),
        code=1,
    ),
]  # fmt: skip

INPUTS = [
    Command(("api", "repos/acme/many/issues", "--input", "-"), stdin=b'{"title":"By stdin"}'),
    Command(
        ("api", "-X", "PATCH", "repos/acme/many/issues/2", "--input", "-", "-f", "x=y"),
        stdin=b'{"labels":["bug"]}',
    ),
    Command(("api", "graphql", "--input", "-"), stdin=b'{"query":"{viewer{login}}"}'),
    Command(("api", "-X", "PUT", "repos/acme/many/topics", "-f", "names[]=b"), since=(2, 60)),
    Command(("api", "repos/acme/many/labels", "-f", "name=neu", "-f", "color=ff0000")),
    Command(("api", "repos/acme/many/issues", "-F", "title=@-"), stdin="größer\n".encode()),
    Command(("api", "-X", "DELETE", "repos/acme/many/labels/neu")),
    Command(("api", "-X", "DELETE", "repos/acme/many/labels/neu"), code=1),
    Command(("api", "-X", "PUT", "user/starred/acme/many", "--silent")),
    Command(("api", "user/starred/acme/many", "--silent")),
    Command(("api", "repos/acme/many/issues", "-f", "body=no title"), code=1),
    Command(("api", "user", "--paginate", "-X", "DELETE"), code=1),
    Command(("api", "graphql", "-f", "query={nonsense"), code=1),
    Command(("api", "graphql"), code=1),
]
"""What writes, or may for all we know, in this order."""
