"""What gh asks of the schema to find out what a host can do."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.graphql import issues, repositories
from gh_p2pcache.sim.graphql.walk import Object

EXTRA: dict[str, tuple[str, ...]] = {
    "StatusCheckRollupContextConnection": (
        "checkRunCount",
        "checkRunCountsByState",
        "edges",
        "nodes",
        "pageInfo",
        "statusContextCount",
        "statusContextCountsByState",
        "totalCount",
    ),
    "CheckSuite": ("app", "checkRuns", "workflowRun"),
    "WorkflowRun": ("event", "runNumber", "url", "workflow"),
    "Release": ("immutable", "isDraft", "isImmutable", "isLatest", "name", "tagName"),
    "Ref": ("associatedPullRequests", "branchProtectionRule", "name", "prefix", "target"),
    "Query": ("node", "nodes", "repository", "repositoryOwner", "search", "user", "viewer"),
    "Mutation": ("addComment", "closeIssue", "createIssue", "createPullRequest", "updateIssue"),
}


ENUMS = {"SearchType": ("DISCUSSION", "ISSUE", "ISSUE_ADVANCED", "REPOSITORY", "USER")}


def type_named(call: Call, name: str) -> Object | None:
    """Return a type's fields: those that this GitHub answers."""
    if name in ENUMS:
        values = [{"__typename": "__EnumValue", "name": value} for value in ENUMS[name]]
        return {"__typename": "__Type", "name": name, "kind": "ENUM", "enumValues": values}
    names = EXTRA.get(name) or _fields_of(call).get(name)
    if names is None:
        return None
    return {
        "__typename": "__Type",
        "name": name,
        "kind": "OBJECT",
        "fields": [{"__typename": "__Field", "name": field, "args": []} for field in names],
        "inputFields": None,
        "enumValues": None,
    }


def _fields_of(call: Call) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for repo, issue in call.world.issues():
        if len(found) < 3:
            for shown in (repositories.repository(call, repo), issues.view(call, repo, issue)):
                fields = sorted(name for name in shown if not name.startswith("__"))
                found.setdefault(shown["__typename"], tuple(fields))
    return found


def schema(call: Call) -> Object:
    """Return the names of the types that are known."""
    names = sorted({*EXTRA, *_fields_of(call)})
    return {"__typename": "__Schema", "types": [type_named(call, name) for name in names]}
