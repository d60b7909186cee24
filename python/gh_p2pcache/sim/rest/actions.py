"""Workflows, runs, jobs and logs of GitHub Actions."""

from __future__ import annotations

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.answers import Answer, Call, error, no_content, ok, page, redirect
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Job, Repo, Run, Workflow
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.router import route

LOGS = "https://results-receiver.actions.githubusercontent.com/logs"


def workflow(call: Call, repo: Repo, value: Workflow) -> shapes.Json:
    """Return a workflow."""
    html = f"{call.site}/{repo.full_name}"
    return {
        "id": value.id,
        "node_id": node_id("W", repo.id, value.id),
        "name": value.name,
        "path": value.path,
        "state": value.state,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.created_at),
        "url": f"{shapes.repo_url(call, repo)}/actions/workflows/{value.id}",
        "html_url": f"{html}/blob/{repo.default_branch}/{value.path}",
        "badge_url": f"{html}/workflows/{value.name}/badge.svg",
    }


def run(call: Call, repo: Repo, value: Run) -> shapes.Json:
    """Return a run."""
    api, commit = shapes.repo_url(call, repo), repo.git.commits[value.sha]
    url = f"{api}/actions/runs/{value.id}"
    of = next((w for w in repo.workflows if w.id == value.workflow), None)
    who = {"name": commit.author, "email": commit.email}
    return {
        "id": value.id,
        "name": of.name if of else None,
        "node_id": node_id("WFR", repo.id, value.id),
        "head_branch": value.branch,
        "head_sha": value.sha,
        "path": of.path if of else None,
        "display_title": value.title,
        "run_number": value.number,
        "event": value.event,
        "status": value.status,
        "conclusion": value.conclusion,
        "workflow_id": value.workflow,
        "check_suite_id": value.suite,
        "check_suite_node_id": node_id("CS", repo.id, value.suite),
        "url": url,
        "html_url": f"{call.site}/{repo.full_name}/actions/runs/{value.id}",
        "pull_requests": [],
        "created_at": iso(value.created_at),
        "updated_at": iso(value.updated_at),
        "actor": shapes.user(call, value.actor),
        "run_attempt": value.attempt,
        "referenced_workflows": [],
        "run_started_at": iso(value.created_at),
        "triggering_actor": shapes.user(call, value.actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{api}/check-suites/{value.suite}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{api}/actions/workflows/{value.workflow}",
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": iso(commit.when),
            "author": who,
            "committer": who,
        },
        "repository": shapes.repository(call, repo),
        "head_repository": shapes.repository(call, repo),
    }


def job(call: Call, repo: Repo, of: Run, value: Job) -> shapes.Json:
    """Return a job with its steps."""
    api = shapes.repo_url(call, repo)
    times = {"started_at": iso(value.started_at), "completed_at": iso(value.completed_at)}
    state = {"status": value.status, "conclusion": value.conclusion}
    return {
        "id": value.id,
        "run_id": of.id,
        "workflow_name": "CI",
        "head_branch": of.branch,
        "run_url": f"{api}/actions/runs/{of.id}",
        "run_attempt": of.attempt,
        "node_id": node_id("CR", repo.id, value.id),
        "head_sha": of.sha,
        "url": f"{api}/actions/jobs/{value.id}",
        "html_url": f"{call.site}/{repo.full_name}/actions/runs/{of.id}/job/{value.id}",
        **state,
        "created_at": iso(value.started_at),
        **times,
        "name": value.name,
        "steps": [
            {"name": name, **state, "number": number, **times}
            for number, name in enumerate(("Set up job", "Run make"), 1)
        ],
        "check_run_url": f"{api}/check-runs/{value.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "GitHub Actions 1",
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
    }


def _the_workflow(call: Call) -> Workflow:
    wanted = call.args["workflow"]
    for value in call.the_repo.workflows:
        if wanted in (str(value.id), value.path.rpartition("/")[2]):
            return value
    raise error(404)


def _the_run(call: Call) -> Run:
    found = next((r for r in call.the_repo.runs if str(r.id) == call.args["run"]), None)
    if found is None:
        raise error(404)
    return found


def _runs(call: Call, of: Workflow | None = None) -> Answer:
    repo, query = call.the_repo, call.query
    wanted = {"branch": "branch", "event": "event", "actor": "actor", "head_sha": "sha"}
    found = [
        value
        for value in repo.runs
        if (of is None or value.workflow == of.id)
        and all(query.get(name) in (None, getattr(value, own)) for name, own in wanted.items())
        and query.get("status") in (None, value.status, value.conclusion)
    ]
    found.sort(key=lambda value: (-value.created_at, -value.id))
    return page(call, [run(call, repo, value) for value in found], "workflow_runs")


@route("GET", "=/actions/workflows", "actions")
def list_workflows(call: Call) -> Answer:
    """List workflows."""
    repo = call.the_repo
    return page(call, [workflow(call, repo, value) for value in repo.workflows], "workflows")


@route("GET", "=/actions/workflows/{workflow}", "actions")
def get_workflow(call: Call) -> Answer:
    """Return a workflow by its number or file name."""
    return ok(workflow(call, call.the_repo, _the_workflow(call)))


@route("GET", "=/actions/workflows/{workflow}/runs", "actions")
def workflow_runs(call: Call) -> Answer:
    """List a workflow's runs."""
    return _runs(call, _the_workflow(call))


@route("PUT", "=/actions/workflows/{workflow}/enable", "actions")
def enable_workflow(call: Call) -> Answer:
    """Turn a workflow on."""
    _the_workflow(call).state = "active"
    return no_content()


@route("PUT", "=/actions/workflows/{workflow}/disable", "actions")
def disable_workflow(call: Call) -> Answer:
    """Turn a workflow off."""
    _the_workflow(call).state = "disabled_manually"
    return no_content()


@route("POST", "=/actions/workflows/{workflow}/dispatches", "actions")
def dispatch_workflow(call: Call) -> Answer:
    """Start a run, queued."""
    ref = str(call.json().get("ref", ""))
    repo, of = call.the_repo, _the_workflow(call)
    branch = ref.removeprefix("refs/heads/")
    if f"heads/{branch}" not in repo.git.refs:
        raise error(422, f"No ref found for: {ref}")
    changes.new_run(call.world, repo, of, call.by, branch)
    return no_content()


@route("GET", "=/actions/runs", "actions")
def list_runs(call: Call) -> Answer:
    """List runs, the newest first."""
    return _runs(call)


@route("GET", "=/actions/runs/{run}", "actions")
@route("GET", "=/actions/runs/{run}/attempts/{attempt}", "actions")
def get_run(call: Call) -> Answer:
    """Return one run."""
    return ok(run(call, call.the_repo, _the_run(call)))


@route("GET", "=/actions/runs/{run}/jobs", "actions")
@route("GET", "=/actions/runs/{run}/attempts/{attempt}/jobs", "actions")
def list_jobs(call: Call) -> Answer:
    """List a run's jobs."""
    of = _the_run(call)
    return page(call, [job(call, call.the_repo, of, value) for value in of.jobs], "jobs")


@route("GET", "=/actions/runs/{run}/artifacts", "actions")
def list_artifacts(call: Call) -> Answer:
    """List a run's artifacts: there are none."""
    _the_run(call)
    return page(call, [], "artifacts")


@route("GET", "=/actions/runs/{run}/logs", "actions")
@route("GET", "=/actions/runs/{run}/attempts/{attempt}/logs", "actions")
def run_logs(call: Call) -> Answer:
    """Redirect to a run's logs."""
    return redirect(302, f"{LOGS}/run-{_the_run(call).id}?sig=sim")


@route("POST", "=/actions/runs/{run}/rerun", "actions")
@route("POST", "=/actions/runs/{run}/rerun-failed-jobs", "actions")
def rerun(call: Call) -> Answer:
    """Queue a run again."""
    changes.set_run(_the_run(call), call.now, "queued", None)
    _the_run(call).attempt += 1
    return Answer(201, {}, etag=False)


@route("POST", "=/actions/runs/{run}/cancel", "actions")
def cancel(call: Call) -> Answer:
    """Cancel a run."""
    if _the_run(call).status == "completed":
        raise error(409, "Cannot cancel a workflow run that is completed.")
    changes.set_run(_the_run(call), call.now, "completed", "cancelled")
    return Answer(202, {}, etag=False)


@route("DELETE", "=/actions/runs/{run}", "actions")
def delete_run(call: Call) -> Answer:
    """Remove a run."""
    call.the_repo.runs.remove(_the_run(call))
    return no_content()


def _the_job(call: Call) -> tuple[Run, Job]:
    for value in call.the_repo.runs:
        for item in value.jobs:
            if str(item.id) == call.args["job"]:
                return value, item
    raise error(404)


@route("GET", "=/actions/jobs/{job}", "actions")
def get_job(call: Call) -> Answer:
    """Return one job."""
    of, value = _the_job(call)
    return ok(job(call, call.the_repo, of, value))


@route("GET", "=/actions/jobs/{job}/logs", "actions")
def job_logs(call: Call) -> Answer:
    """Redirect to a job's log."""
    return redirect(302, f"{LOGS}/job-{_the_job(call)[1].id}?sig=sim")
