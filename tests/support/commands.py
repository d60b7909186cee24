"""Command lines of the real gh that the sim answers sensibly, reads first, then writes."""

from dataclasses import dataclass

R = ("-R", "acme/widgets")


@dataclass(frozen=True)
class Command:
    """A command line without `gh`; `since` is the first version of gh that has it."""

    args: tuple[str, ...]
    since: tuple[int, ...] = (2, 23)
    code: int = 0
    stdin: bytes = b""

    def runs_in(self, version: str) -> bool:
        """Say whether gh of this version has the command."""
        return tuple(int(part) for part in version.split(".")) >= self.since

    @property
    def name(self) -> str:
        return " ".join(self.args)


def _lines(*lines: tuple[str, ...], since: tuple[int, ...] = (2, 23)) -> tuple[Command, ...]:
    return tuple(Command(line, since) for line in lines)


PR_FIELDS = (
    "additions,assignees,author,baseRefName,body,changedFiles,closed,closedAt,comments,commits,"
    "createdAt,deletions,files,headRefName,headRefOid,headRepository,headRepositoryOwner,id,"
    "isCrossRepository,isDraft,labels,latestReviews,maintainerCanModify,mergeCommit,"
    "mergeStateStatus,mergeable,mergedAt,mergedBy,milestone,number,potentialMergeCommit,"
    "reactionGroups,reviewDecision,reviewRequests,reviews,state,statusCheckRollup,title,updatedAt,"
    "url"
)
ISSUE_FIELDS = (
    "assignees,author,body,closed,closedAt,comments,createdAt,id,labels,milestone,number,"
    "reactionGroups,state,title,updatedAt,url"
)
REPO_FIELDS = (
    "assignableUsers,createdAt,defaultBranchRef,deleteBranchOnMerge,description,diskUsage,"
    "forkCount,hasIssuesEnabled,hasWikiEnabled,homepageUrl,id,isArchived,isEmpty,isFork,"
    "isInOrganization,isPrivate,isTemplate,issues,labels,languages,latestRelease,licenseInfo,"
    "mergeCommitAllowed,milestones,name,nameWithOwner,owner,parent,primaryLanguage,pullRequests,"
    "pushedAt,repositoryTopics,squashMergeAllowed,sshUrl,stargazerCount,updatedAt,url,"
    "viewerCanAdminister,viewerHasStarred,viewerPermission,watchers"
)
RUN_FIELDS = (
    "conclusion,createdAt,databaseId,displayTitle,event,headBranch,headSha,number,startedAt,"
    "status,updatedAt,url,workflowDatabaseId,workflowName"
)

MANY = (
    'query($endCursor: String) { repository(owner: "acme", name: "many") { '
    "issues(first: 50, after: $endCursor) { nodes { number } "
    "pageInfo { hasNextPage endCursor } } } }"
)

API_READS = _lines(
    ("api", "user"),
    ("api", "user", "-q", ".login"),
    ("api", "user", "-t", "{{.login}} {{.id}}"),
    ("api", "-i", "repos/acme/widgets/languages"),
    ("api", "repos/acme/widgets"),
    ("api", "repos/acme/old-name"),
    ("api", "repos/acme/widgets/issues", "--paginate", "-X", "GET", "-f", "state=all"),
    ("api", "repos/acme/many/issues?per_page=40", "--paginate", "-q", ".[].number"),
    ("api", "repos/acme/widgets/issues/1"),
    ("api", "repos/acme/widgets/issues/1/comments"),
    ("api", "repos/acme/widgets/labels"),
    ("api", "repos/acme/widgets/milestones"),
    ("api", "repos/acme/widgets/commits"),
    ("api", "repos/acme/widgets/commits/main"),
    ("api", "repos/acme/widgets/commits/main", "-H", "Accept: application/vnd.github.sha"),
    ("api", "repos/acme/widgets/commits/feature", "-H", "Accept: application/vnd.github.diff"),
    ("api", "repos/acme/widgets/compare/main...feature"),
    ("api", "repos/acme/widgets/branches"),
    ("api", "repos/acme/widgets/tags"),
    ("api", "repos/acme/widgets/contents/README.md"),
    ("api", "repos/acme/widgets/contents/logo.png", "-H", "Accept: application/vnd.github.raw"),
    ("api", "repos/acme/widgets/readme", "-H", "Accept: application/vnd.github.html"),
    ("api", "repos/acme/private/contents/secret.txt", "-q", ".download_url"),
    ("api", "repos/acme/widgets/git/ref/heads/main"),
    ("api", "repos/acme/widgets/git/trees/main?recursive=1"),
    ("api", "repos/octo/hello/contents/latin1.txt", "-H", "Accept: application/vnd.github.raw"),
    ("api", "repos/octo/hello/issues/1", "-q", ".title"),
    ("api", "repos/acme/widgets/pulls"),
    ("api", "repos/acme/widgets/pulls/9"),
    ("api", "repos/acme/widgets/pulls/9/files"),
    ("api", "repos/acme/widgets/pulls/9", "-H", "Accept: application/vnd.github.patch"),
    ("api", "repos/acme/widgets/actions/runs", "-q", ".workflow_runs[].conclusion"),
    ("api", "repos/acme/widgets/commits/feature/status", "-q", ".state"),
    ("api", "repos/acme/widgets/commits/feature/check-runs", "-q", ".total_count"),
    ("api", "repos/acme/widgets/deployments"),
    ("api", "repos/acme/widgets/releases/latest"),
    ("api", "orgs/acme"),
    ("api", "users/bob"),
    ("api", "search/issues?q=repo:acme/widgets+is:issue", "-q", ".total_count"),
    ("api", "gists"),
    ("api", "notifications", "-q", ".[].subject.title"),
    ("api", "rate_limit", "-q", ".resources.core.limit"),
    ("api", "zen"),
    ("api", "graphql", "-f", "query={viewer{login}}"),
    ("api", "graphql", "--paginate", "-f", f"query={MANY}"),
)

API_CODES = (
    Command(("api", "repos/acme/nothing"), code=1),
    Command(("api", "repos/acme/widgets/issues/4711"), code=1),
    Command(("api", "user/starred/acme/widgets", "--silent"), code=1),
    Command(("api", "user/starred/octo/hello", "--silent")),
    Command(
        ("api", "graphql", "-f", 'query={repository(owner:"acme",name:"nothing"){id}}'), code=1
    ),
)

COMMAND_READS = _lines(
    ("pr", "list", *R),
    ("pr", "list", *R, "--state", "all", "--json", PR_FIELDS),
    ("pr", "list", *R, "--label", "enhancement"),
    ("pr", "list", *R, "--head", "feature"),
    ("pr", "list", *R, "--author", "bob", "--search", "feature"),
    ("pr", "view", "9", *R),
    ("pr", "view", "9", *R, "--comments"),
    ("pr", "view", "feature", *R, "--json", PR_FIELDS),
    ("pr", "view", "11", *R),
    ("pr", "status", *R),
    ("pr", "status", *R, "--json", "number,title,statusCheckRollup"),
    ("pr", "diff", "9", *R),
    ("pr", "diff", "9", *R, "--name-only"),
    ("issue", "list", *R),
    ("issue", "list", *R, "--state", "all", "--json", ISSUE_FIELDS),
    ("issue", "list", *R, "--label", "bug", "--assignee", "alice"),
    ("issue", "list", *R, "--milestone", "v2"),
    ("issue", "list", *R, "--search", "größe"),
    ("issue", "list", "-R", "acme/many", "--limit", "95"),
    ("issue", "view", "1", *R),
    ("issue", "view", "1", *R, "--comments"),
    ("issue", "view", "1", *R, "--json", ISSUE_FIELDS),
    ("issue", "status", *R),
    ("repo", "view", "acme/widgets"),
    ("repo", "view", "acme/widgets", "--json", REPO_FIELDS),
    ("repo", "view", "acme/private"),
    ("repo", "list", "acme"),
    ("repo", "list", "acme", "--json", "name,isPrivate,updatedAt"),
    ("release", "list", *R),
    ("release", "view", "v1.1.0", *R),
    ("release", "view", *R, "--json", "tagName,assets,isDraft,body,author"),
    ("run", "list", *R, "--json", RUN_FIELDS),
    ("run", "list", *R, "--workflow", "CI", "--branch", "main", "--json", "databaseId"),
    ("run", "view", "9000000001", *R),
    ("run", "view", "9000000002", *R, "--json", "jobs,conclusion"),
    ("run", "view", "9000000001", *R, "--log"),
    ("workflow", "list", *R),
    ("workflow", "view", "CI", *R, "--yaml"),
    ("label", "list", *R),
    ("label", "list", *R, "--json", "name,color,description"),
    ("search", "issues", "--repo", "acme/widgets", "broken"),
    ("search", "prs", "--repo", "acme/widgets", "--state", "open"),
    ("search", "repos", "--owner", "acme"),
    ("gist", "list"),
    ("gist", "view", "a1b2c3d4e5f60718293a4b5c6d7e8f90", "--raw"),
    ("status",),
    ("secret", "list", *R),
    ("ssh-key", "list"),
    ("release", "download", "v1.1.0", *R, "--pattern", "*.zip", "--clobber"),
    ("browse", "-n", *R),
    ("pr", "list", *R, "--json", "number", "-q", ".[].number"),
    ("issue", "list", *R, "--author", "@me"),
    ("pr", "list", *R, "--search", "is:open review-requested:@me"),
)

COMMAND_CODES = (
    Command(("org", "list"), since=(2, 30)),
    Command(("search", "code", "widget", "--repo", "acme/widgets"), since=(2, 30)),
    Command(("variable", "list", *R), since=(2, 30)),
    Command(("cache", "list", *R), since=(2, 40)),
    Command(("ruleset", "list", *R), since=(2, 40)),
    Command(("run", "watch", "9000000001", *R)),
    Command(("repo", "view", "acme/widgets", "--json", "visibility"), since=(2, 40)),
    Command(("issue", "view", "3", *R, "--json", "stateReason"), since=(2, 40)),
    Command(("auth", "status")),
    Command(("pr", "checks", "11", *R)),
    Command(("pr", "checks", "9", *R), code=1),
    Command(("pr", "view", "4711", *R), code=1),
    Command(("issue", "view", "4711", *R), code=1),
    Command(("repo", "view", "acme/nothing"), code=1),
    Command(("release", "view", "v9", *R), code=1),
)

WRITES = _lines(
    ("pr", "create", *R, "--head", "idea", "--base", "main", "--title", "T", "--body", "B"),
    ("pr", "edit", "12", *R, "--add-reviewer", "bob", "--add-assignee", "alice"),
    ("pr", "ready", "12", *R, "--undo"),
    ("pr", "review", "12", *R, "--comment", "--body", "Hm"),
    ("pr", "close", "12", *R, "--comment", "No"),
    ("gist", "create", "-", "--filename", "x.txt", "--desc", "D"),
    ("issue", "create", *R, "--title", "New one", "--body", "Text", "--label", "bug"),
    ("issue", "comment", "13", *R, "--body", "A comment"),
    ("issue", "edit", "13", *R, "--title", "Newer", "--add-label", "enhancement"),
    ("issue", "edit", "13", *R, "--milestone", "v2", "--add-assignee", "bob"),
    ("issue", "close", "13", *R, "--comment", "Done"),
    ("issue", "reopen", "13", *R),
    ("issue", "pin", "13", *R),
    ("issue", "lock", "13", *R),
    ("issue", "unlock", "13", *R),
    ("issue", "unpin", "13", *R),
    ("issue", "delete", "13", *R, "--yes"),
    ("label", "create", "fresh", *R, "--color", "00ff00"),
    ("label", "edit", "fresh", *R, "--name", "fresher"),
    ("label", "delete", "fresher", *R, "--yes"),
    ("pr", "comment", "9", *R, "--body", "Nice"),
    ("pr", "edit", "9", *R, "--title", "Add the better feature", "--add-label", "bug"),
    ("pr", "ready", "10", *R),
    ("pr", "review", "9", *R, "--approve"),
    ("pr", "merge", "9", *R, "--merge"),
    ("pr", "close", "10", *R),
    ("pr", "reopen", "10", *R),
    ("release", "create", "v3.0.0", *R, "--title", "Three", "--notes", "Third"),
    ("release", "edit", "v3.0.0", *R, "--notes", "The third"),
    ("release", "delete", "v3.0.0", *R, "--yes"),
    ("workflow", "run", "CI", *R),
    ("workflow", "disable", "Nightly", *R),
    ("run", "rerun", "9000000002", *R),
    ("run", "cancel", "9000000003", *R),
    ("repo", "edit", "acme/widgets", "--description", "Better widgets"),
    ("repo", "rename", "gadgets", *R, "--yes"),
    ("api", "repos/acme/gadgets/issues", "-f", "title=By REST"),
    ("api", "-X", "PATCH", "repos/acme/gadgets/issues/1", "-f", "state=closed"),
    ("api", "-X", "PUT", "repos/acme/gadgets/topics", "-f", "names[]=one"),
    ("api", "-X", "DELETE", "repos/acme/gadgets/labels/bug"),
)

READS = API_READS + API_CODES + COMMAND_READS + COMMAND_CODES
