"""What a pull request has beyond an issue, as GraphQL fields."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.changes import commits_of
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.diff import changed_files
from gh_p2pcache.sim.graphql import checks, objects, repositories
from gh_p2pcache.sim.graphql.people import actor
from gh_p2pcache.sim.graphql.walk import Object
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Issue, Pull, Repo, Review


def decision(pull: Pull) -> str | None:
    """Return what the reviews come to."""
    states = [review.state for review in pull.reviews]
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    if "APPROVED" in states:
        return "APPROVED"
    return "REVIEW_REQUIRED" if pull.reviewers else None


def own_fields(call: Call, repo: Repo, issue: Issue, pull: Pull) -> Object:
    """Return a pull request's own fields."""
    files = changed_files(repo.git, pull.base_sha, pull.head_sha)
    merged = pull.merged_at is not None
    state = "MERGED" if merged else issue.state.upper()
    mergeable = "UNKNOWN" if pull.mergeable is None else "MERGEABLE"
    head = next((b for b in (pull.head,) if f"heads/{b}" in repo.git.refs), None)
    commits = commits_of(repo.git, pull)
    owner = actor(call, repo.owner) or {}
    return {
        "__typename": "PullRequest",
        "state": state,
        "isDraft": pull.draft,
        "headRefName": pull.head,
        "headRefOid": pull.head_sha,
        "headRef": lambda _a: objects.ref(call, repo, f"heads/{head}") if head else None,
        "headRepository": lambda _a: repositories.repository(call, repo),
        "headRepositoryOwner": owner,
        "baseRefName": pull.base,
        "baseRefOid": pull.base_sha,
        "baseRef": lambda _a: objects.ref(call, repo, f"heads/{pull.base}"),
        "isCrossRepository": False,
        "maintainerCanModify": False,
        "mergeable": mergeable if state == "OPEN" else "UNKNOWN",
        "mergeStateStatus": "DRAFT" if pull.draft else "CLEAN" if state == "OPEN" else "UNKNOWN",
        "potentialMergeCommit": None,
        "mergeCommit": lambda _a: (
            objects.commit(call, repo, repo.git.commits[pull.merge_sha]) if pull.merge_sha else None
        ),
        "merged": merged,
        "mergedAt": iso(pull.merged_at),
        "mergedBy": actor(call, pull.merged_by),
        "autoMergeRequest": None,
        "isInMergeQueue": False,
        "isMergeQueueEnabled": False,
        "additions": sum(file.added for file in files),
        "deletions": sum(file.deleted for file in files),
        "changedFiles": len(files),
        "files": [
            {
                "path": file.path,
                "additions": file.added,
                "deletions": file.deleted,
                "changeType": file.status.upper(),
            }
            for file in files
        ],
        "commits": lambda _a: [
            {"__typename": "PullRequestCommit", "commit": objects.commit(call, repo, value)}
            for value in commits
        ],
        "statusCheckRollup": lambda _a: checks.rollup(call, repo, pull.head_sha),
        "reviewDecision": decision(pull),
        "reviews": lambda _a: [review_view(call, repo, issue, item) for item in pull.reviews],
        "latestReviews": lambda _a: [review_view(call, repo, issue, item) for item in pull.reviews],
        "latestOpinionatedReviews": [],
        "reviewRequests": [
            {"__typename": "ReviewRequest", "requestedReviewer": actor(call, login)}
            for login in pull.reviewers
        ],
        "reviewThreads": [],
        "closingIssuesReferences": [],
        "viewerCanEnableAutoMerge": False,
        "viewerMergeBodyText": issue.body or "",
        "viewerMergeHeadlineText": f"Merge pull request #{issue.number}",
    }


def review_view(call: Call, repo: Repo, issue: Issue, review: Review) -> Object:
    """Return a review."""
    url = f"{call.site}/{repo.full_name}/pull/{issue.number}#pullrequestreview-{review.id}"
    return {
        "__typename": "PullRequestReview",
        "id": node_id("PRR", repo.id, review.id),
        "author": actor(call, review.user),
        "authorAssociation": "NONE",
        "body": review.body,
        "state": review.state,
        "submittedAt": iso(review.submitted_at),
        "includesCreatedEdit": False,
        "reactionGroups": [],
        "url": url,
        "commit": {"oid": review.sha},
    }
