"""Checks and statuses of a commit as GraphQL objects."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.graphql.people import actor
from gh_p2pcache.sim.graphql.walk import Object
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Job, Repo, Run, Status

APP = {"__typename": "App", "name": "GitHub Actions", "slug": "github-actions", "databaseId": 15368}


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


def newest_statuses(repo: Repo, sha: str) -> list[Status]:
    """Return the last status of every context of a commit."""
    newest = {status.context: status for status in repo.statuses if status.sha == sha}
    return list(newest.values())


def _workflow_run(call: Call, repo: Repo, run: Run) -> Object:
    workflow = next((w for w in repo.workflows if w.id == run.workflow), None)
    return {
        "__typename": "WorkflowRun",
        "id": node_id("WFR", repo.id, run.id),
        "databaseId": run.id,
        "event": run.event,
        "runNumber": run.number,
        "url": f"{call.site}/{repo.full_name}/actions/runs/{run.id}",
        "createdAt": iso(run.created_at),
        "updatedAt": iso(run.updated_at),
        "workflow": {"__typename": "Workflow", "name": workflow.name if workflow else None},
    }


def check_run(call: Call, repo: Repo, run: Run, job: Job) -> Object:
    """Return a job as the check run that it is."""
    url = f"{call.site}/{repo.full_name}/actions/runs/{run.id}/job/{job.id}"
    return {
        "__typename": "CheckRun",
        "id": node_id("CR", repo.id, job.id),
        "databaseId": job.id,
        "name": job.name,
        "status": _upper(job.status),
        "conclusion": _upper(job.conclusion),
        "startedAt": iso(job.started_at),
        "completedAt": iso(job.completed_at),
        "detailsUrl": url,
        "url": url,
        "permalink": url,
        "title": None,
        "summary": None,
        "text": None,
        "isRequired": lambda _a: False,
        "checkSuite": lambda _a: _suite(call, repo, run),
    }


def _suite(call: Call, repo: Repo, run: Run) -> Object:
    return {
        "__typename": "CheckSuite",
        "id": node_id("CS", repo.id, run.suite),
        "databaseId": run.suite,
        "status": _upper(run.status),
        "conclusion": _upper(run.conclusion),
        "app": APP,
        "workflowRun": _workflow_run(call, repo, run),
        "checkRuns": lambda _a: [check_run(call, repo, run, job) for job in run.jobs],
    }


def suites(call: Call, repo: Repo, sha: str) -> list[Object]:
    """Return the check suites of a commit."""
    return [_suite(call, repo, run) for run in repo.runs if run.sha == sha]


def _status_context(call: Call, repo: Repo, value: Status) -> Object:
    return {
        "__typename": "StatusContext",
        "id": node_id("SC", repo.id, value.id),
        "context": value.context,
        "state": value.state.upper(),
        "description": value.description,
        "targetUrl": value.target_url,
        "createdAt": iso(value.created_at),
        "creator": actor(call, value.creator),
        "isRequired": lambda _a: False,
    }


def combined_status(call: Call, repo: Repo, sha: str) -> Object | None:
    """Return the statuses of a commit, None without any."""
    found = newest_statuses(repo, sha)
    if not found:
        return None
    return {
        "__typename": "Status",
        "state": worst([status.state.upper() for status in found]),
        "contexts": [_status_context(call, repo, status) for status in found],
    }


def worst(states: list[str]) -> str:
    """Return what several states come to."""
    for state in ("ERROR", "FAILURE", "PENDING", "EXPECTED"):
        if state in states:
            return state
    return "SUCCESS"


def rollup(call: Call, repo: Repo, sha: str) -> Object | None:
    """Return checks and statuses of a commit together, None without any."""
    runs = [(run, job) for run in repo.runs if run.sha == sha for job in run.jobs]
    statuses = newest_statuses(repo, sha)
    if not runs and not statuses:
        return None
    states = [(job.conclusion or "pending").upper() for _, job in runs]
    states += [status.state.upper() for status in statuses]
    contexts = [check_run(call, repo, run, job) for run, job in runs]
    contexts += [_status_context(call, repo, status) for status in statuses]
    return {
        "__typename": "StatusCheckRollup",
        "id": node_id("SCR", repo.id, sha),
        "state": worst(states),
        "contexts": lambda arguments: _contexts(contexts, runs, statuses, arguments),
    }


def _contexts(
    contexts: list[Object], runs: list[tuple[Run, Job]], statuses: list[Status], arguments: Object
) -> Object:
    jobs = [(job.conclusion or job.status).upper() for _, job in runs]
    found = [status.state.upper() for status in statuses]
    first = arguments.get("first") or len(contexts)
    return {
        "__typename": "StatusCheckRollupContextConnection",
        "totalCount": len(contexts),
        "nodes": contexts[:first],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "checkRunCount": len(jobs),
        "checkRunCountsByState": [{"state": s, "count": jobs.count(s)} for s in sorted({*jobs})],
        "statusContextCount": len(found),
        "statusContextCountsByState": [
            {"state": s, "count": found.count(s)} for s in sorted({*found})
        ],
    }
