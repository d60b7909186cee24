"""Check runs and suites, commit statuses, deployments."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Answer, Call, created, error, invalid, ok, page
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import (
    Deployment,
    DeploymentStatus,
    Job,
    Repo,
    Run,
    Status,
)
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.git import the_commit
from gh_p2pcache.sim.rest.router import route

APP = {"id": 15368, "slug": "github-actions", "name": "GitHub Actions"}


def check_run(call: Call, repo: Repo, of: Run, value: Job) -> shapes.Json:
    """Return a job as the check run that it is."""
    url = f"{shapes.repo_url(call, repo)}/check-runs/{value.id}"
    html = f"{call.site}/{repo.full_name}/actions/runs/{of.id}/job/{value.id}"
    return {
        "id": value.id,
        "name": value.name,
        "node_id": node_id("CR", repo.id, value.id),
        "head_sha": of.sha,
        "external_id": "",
        "url": url,
        "html_url": html,
        "details_url": html,
        "status": value.status,
        "conclusion": value.conclusion,
        "started_at": iso(value.started_at),
        "completed_at": iso(value.completed_at),
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
        "check_suite": {"id": of.suite},
        "app": APP,
        "pull_requests": [],
    }


def check_suite(call: Call, repo: Repo, value: Run) -> shapes.Json:
    """Return a run as the check suite that it is."""
    return {
        "id": value.suite,
        "node_id": node_id("CS", repo.id, value.suite),
        "head_branch": value.branch,
        "head_sha": value.sha,
        "status": value.status,
        "conclusion": value.conclusion,
        "url": f"{shapes.repo_url(call, repo)}/check-suites/{value.suite}",
        "app": APP,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.updated_at),
        "latest_check_runs_count": len(value.jobs),
    }


@route("GET", "=/commits/{ref}/check-runs", "checks")
def commit_check_runs(call: Call) -> Answer:
    """List a commit's check runs."""
    repo, sha = call.the_repo, the_commit(call, call.args["ref"]).sha
    found = [(r, j) for r in repo.runs if r.sha == sha for j in r.jobs]
    return page(call, [check_run(call, repo, r, j) for r, j in found], "check_runs")


@route("GET", "=/commits/{ref}/check-suites", "checks")
def commit_check_suites(call: Call) -> Answer:
    """List a commit's check suites."""
    repo, sha = call.the_repo, the_commit(call, call.args["ref"]).sha
    found = [check_suite(call, repo, r) for r in repo.runs if r.sha == sha]
    return page(call, found, "check_suites")


@route("GET", "=/check-runs/{id}", "checks")
def get_check_run(call: Call) -> Answer:
    """Return one check run."""
    for value in call.the_repo.runs:
        for job in value.jobs:
            if str(job.id) == call.args["id"]:
                return ok(check_run(call, call.the_repo, value, job))
    raise error(404)


@route("GET", "=/check-runs/{id}/annotations", "checks")
def list_annotations(call: Call) -> Answer:
    """List a check run's annotations: there are none."""
    return page(call, [])


@route("GET", "=/check-suites/{id}", "checks")
def get_check_suite(call: Call) -> Answer:
    """Return one check suite."""
    found = next((r for r in call.the_repo.runs if str(r.suite) == call.args["id"]), None)
    if found is None:
        raise error(404)
    return ok(check_suite(call, call.the_repo, found))


@route("GET", "=/check-suites/{id}/check-runs", "checks")
def suite_check_runs(call: Call) -> Answer:
    """List a check suite's runs."""
    repo = call.the_repo
    found = [(r, j) for r in repo.runs if str(r.suite) == call.args["id"] for j in r.jobs]
    return page(call, [check_run(call, repo, r, j) for r, j in found], "check_runs")


def status(call: Call, repo: Repo, value: Status) -> shapes.Json:
    """Return a commit status."""
    creator = shapes.user(call, value.creator)
    return {
        "url": f"{shapes.repo_url(call, repo)}/statuses/{value.sha}",
        "avatar_url": creator["avatar_url"] if creator else None,
        "id": value.id,
        "node_id": node_id("SC", repo.id, value.id),
        "state": value.state,
        "description": value.description,
        "target_url": value.target_url,
        "context": value.context,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.created_at),
        "creator": creator,
    }


@route("GET", "=/commits/{ref}/statuses", "statuses")
def list_statuses(call: Call) -> Answer:
    """List every status of a commit, the newest first."""
    repo, sha = call.the_repo, the_commit(call, call.args["ref"]).sha
    found = [status(call, repo, value) for value in reversed(repo.statuses) if value.sha == sha]
    return page(call, found)


@route("GET", "=/commits/{ref}/status", "statuses")
def combined_status(call: Call) -> Answer:
    """Return what a commit's statuses come to."""
    repo, sha = call.the_repo, the_commit(call, call.args["ref"]).sha
    newest = {value.context: value for value in repo.statuses if value.sha == sha}
    states = [value.state for value in newest.values()]
    failed = "failure" in states or "error" in states
    waiting = not states or "pending" in states
    return ok(
        {
            "state": "failure" if failed else "pending" if waiting else "success",
            "statuses": [status(call, repo, value) for value in newest.values()],
            "sha": sha,
            "total_count": len(newest),
            "repository": shapes.repository(call, repo),
            "commit_url": f"{shapes.repo_url(call, repo)}/commits/{sha}",
            "url": f"{shapes.repo_url(call, repo)}/commits/{sha}/status",
        }
    )


@route("POST", "=/statuses/{sha}", "statuses")
def create_status(call: Call) -> Answer:
    """Set a status of a commit."""
    repo, wanted = call.the_repo, call.json()
    if wanted.get("state") not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state", "custom")
    value = Status(
        call.world.new_id(),
        the_commit(call, call.args["sha"]).sha,
        wanted["state"],
        str(wanted.get("context", "default")),
        wanted.get("description"),
        wanted.get("target_url"),
        call.login,
        int(call.now),
    )
    repo.statuses.append(value)
    return created(status(call, repo, value))


def deployment(call: Call, repo: Repo, value: Deployment) -> shapes.Json:
    """Return a deployment."""
    url = f"{shapes.repo_url(call, repo)}/deployments/{value.id}"
    return {
        "url": url,
        "id": value.id,
        "node_id": node_id("DE", repo.id, value.id),
        "task": "deploy",
        "original_environment": value.environment,
        "environment": value.environment,
        "description": None,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.created_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": shapes.repo_url(call, repo),
        "creator": shapes.user(call, value.creator),
        "sha": value.sha,
        "ref": value.ref,
        "payload": {},
        "transient_environment": False,
        "production_environment": value.environment == "production",
    }


def _the_deployment(call: Call) -> Deployment:
    found = next((d for d in call.the_repo.deployments if str(d.id) == call.args["id"]), None)
    if found is None:
        raise error(404)
    return found


@route("GET", "=/deployments", "deployments")
def list_deployments(call: Call) -> Answer:
    """List deployments."""
    return page(call, [deployment(call, call.the_repo, d) for d in call.the_repo.deployments])


@route("GET", "=/deployments/{id}", "deployments")
def get_deployment(call: Call) -> Answer:
    """Return one deployment."""
    return ok(deployment(call, call.the_repo, _the_deployment(call)))


def deployment_status(call: Call, of: Deployment, value: DeploymentStatus) -> shapes.Json:
    """Return one state of a deployment."""
    url = f"{shapes.repo_url(call, call.the_repo)}/deployments/{of.id}"
    return {
        "url": f"{url}/statuses/{value.id}",
        "id": value.id,
        "node_id": node_id("DES", call.the_repo.id, value.id),
        "state": value.state,
        "creator": shapes.user(call, value.creator),
        "description": value.description,
        "environment": of.environment,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.created_at),
        "deployment_url": url,
    }


@route("GET", "=/deployments/{id}/statuses", "deployments")
def list_deployment_statuses(call: Call) -> Answer:
    """List a deployment's states."""
    of = _the_deployment(call)
    return page(call, [deployment_status(call, of, value) for value in of.statuses])


@route("POST", "=/deployments/{id}/statuses", "deployments")
def create_deployment_status(call: Call) -> Answer:
    """Move a deployment to another state."""
    of, wanted = _the_deployment(call), call.json()
    text = str(wanted.get("description", ""))
    value = DeploymentStatus(
        call.world.new_id(), str(wanted.get("state")), text, call.login, int(call.now)
    )
    of.statuses.append(value)
    return created(deployment_status(call, of, value))
