"""The GraphQL fields whose answers a team may share, by type; any other field makes one private.

Made from what gh 2.23 and 2.103 ask for, each looked through against GitHub's schema. Left out on
purpose: all that depends on who asks (`viewer…`, `mergeStateStatus`, pending reviews and their
threads, rendered text), all that quotes other repositories (parents, sub-issues, dependencies,
closing and cross references, time lines, head repositories, projects) and what only some may
see (drafts of releases, requested teams, merge settings, people who can be assigned).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gh_p2pcache.policy.classes import ANY, LABELS


@dataclass(frozen=True, slots=True)
class SharedType:
    """The shared fields of one type: `leaves` hold values, `links` lead to objects of a type.

    Selecting anything of the type needs the classes `needs`; an object of it in an answer proves
    them if `proves`. A connection proves nothing: GitHub hides what a token may not see.
    `possible` are the types that a fragment on an abstract type may name.
    """

    leaves: frozenset[str]
    links: Mapping[str, str]
    needs: frozenset[str] = frozenset()
    proves: bool = True
    possible: frozenset[str] = frozenset()


def _type(leaves: str, needs: str = "", *, proves: bool = True, **links: str) -> SharedType:
    return SharedType(frozenset(leaves.split()), links, frozenset(needs.split()), proves)


def _abstract(possible: str, leaves: str = "", needs: str = "") -> SharedType:
    names = frozenset(possible.split())
    return SharedType(
        frozenset(leaves.split()), {}, frozenset(needs.split()), proves=True, possible=names
    )


def _connection(node: str, needs: str) -> SharedType:
    links = {"nodes": node, "edges": f"{node}Edge", "pageInfo": "PageInfo"}
    return SharedType(frozenset({"totalCount"}), links, frozenset(needs.split()), proves=False)


_CONNECTED = {
    "Assignee": "",
    "GitActor": "",
    "Issue": "issues",
    "IssueComment": "",
    "Label": LABELS,
    "Milestone": LABELS,
    "PullRequest": "pulls",
    "PullRequestChangedFile": "",
    "PullRequestCommit": "",
    "Ref": "contents",
    "RepositoryTopic": "",
    "User": "",
}

SHARED_TYPES: dict[str, SharedType] = {
    "Query": _type("", repository="Repository"),
    "Repository": _type(
        """archivedAt createdAt databaseId description diskUsage forkCount hasDiscussionsEnabled
        hasIssuesEnabled hasProjectsEnabled hasWikiEnabled homepageUrl id isArchived isEmpty isFork
        isInOrganization isMirror isPrivate isTemplate mirrorUrl name nameWithOwner
        openGraphImageUrl pushedAt sshUrl stargazerCount updatedAt url usesCustomOpenGraphImage
        visibility""",
        ANY,
        defaultBranchRef="Ref",
        issue="Issue",
        issueOrPullRequest="IssueOrPullRequest",
        issues="IssueConnection",
        label="Label",
        labels="LabelConnection",
        languages="LanguageConnection",
        licenseInfo="License",
        milestone="Milestone",
        milestones="MilestoneConnection",
        object="GitObject",
        owner="RepositoryOwner",
        primaryLanguage="Language",
        pullRequest="PullRequest",
        pullRequests="PullRequestConnection",
        ref="Ref",
        refs="RefConnection",
        repositoryTopics="RepositoryTopicConnection",
        watchers="Count",
    ),
    "IssueOrPullRequest": _abstract("Issue PullRequest", needs="issues pulls"),
    "Issue": _type(
        """activeLockReason authorAssociation body closed closedAt createdAt databaseId id isPinned
        locked number state stateReason title updatedAt url""",
        "issues",
        assignedActors="AssigneeConnection",
        assignees="UserConnection",
        author="Actor",
        comments="IssueCommentConnection",
        issueType="IssueType",
        labels="LabelConnection",
        milestone="Milestone",
        reactionGroups="ReactionGroup",
    ),
    "PullRequest": _type(
        """activeLockReason additions authorAssociation baseRefName baseRefOid body changedFiles
        closed closedAt createdAt databaseId deletions headRefName headRefOid id isCrossRepository
        isDraft isInMergeQueue isMergeQueueEnabled locked maintainerCanModify mergeable merged
        mergedAt number state title updatedAt url""",
        "pulls",
        assignedActors="AssigneeConnection",
        assignees="UserConnection",
        author="Actor",
        comments="IssueCommentConnection",
        commits="PullRequestCommitConnection",
        files="PullRequestChangedFileConnection",
        headRepositoryOwner="RepositoryOwner",
        labels="LabelConnection",
        mergeCommit="MergeCommit",
        mergedBy="Actor",
        milestone="Milestone",
        potentialMergeCommit="MergeCommit",
        reactionGroups="ReactionGroup",
    ),
    "IssueComment": _type(
        """authorAssociation body createdAt databaseId id includesCreatedEdit isMinimized
        minimizedReason updatedAt url""",
        author="Actor",
        reactionGroups="ReactionGroup",
    ),
    "ReactionGroup": _type("content", users="Count"),
    "IssueType": _type("color description id name"),
    "Label": _type("color createdAt description id isDefault name updatedAt url", LABELS),
    "Milestone": _type(
        "closed closedAt createdAt description dueOn id number state title updatedAt url", LABELS
    ),
    "PullRequestChangedFile": _type("additions changeType deletions path"),
    "PullRequestCommit": _type("id url", commit="Commit"),
    "Commit": _type(
        """abbreviatedOid additions authoredDate changedFilesIfAvailable committedDate deletions id
        message messageBody messageHeadline oid url""",
        authors="GitActorConnection",
        statusCheckRollup="StatusCheckRollup",
    ),
    "MergeCommit": _type("abbreviatedOid oid"),
    "GitActor": _type("date email name", user="User"),
    "StatusCheckRollup": _type(
        "state", "checks statuses", proves=False, contexts="StatusCheckRollupContextConnection"
    ),
    "StatusCheckRollupContextConnection": _type(
        "totalCount checkRunCount statusContextCount",
        checkRunCountsByState="CountByState",
        nodes="StatusCheckRollupContext",
        pageInfo="PageInfo",
        statusContextCountsByState="CountByState",
    ),
    "StatusCheckRollupContext": _abstract("CheckRun StatusContext"),
    "CountByState": _type("count state"),
    "CheckRun": _type(
        "completedAt conclusion databaseId detailsUrl id name startedAt status url",
        "checks",
        checkSuite="CheckSuite",
    ),
    "CheckSuite": _type("conclusion createdAt id status updatedAt", workflowRun="WorkflowRun"),
    "WorkflowRun": _type("databaseId event id runNumber url", "actions", workflow="Workflow"),
    "Workflow": _type("databaseId id name state"),
    "StatusContext": _type("context createdAt description id state targetUrl", "statuses"),
    "Ref": _type("id name prefix", "contents", target="GitObject"),
    "GitObject": _abstract("Blob Commit Tag Tree", "abbreviatedOid id oid", "contents"),
    "Blob": _type("abbreviatedOid byteSize id isBinary isTruncated oid text"),
    "Tree": _type("abbreviatedOid id oid", entries="TreeEntry"),
    "TreeEntry": _type("extension mode name oid path size type"),
    "Tag": _type("abbreviatedOid id message name oid", target="GitObject"),
    "LanguageConnection": _type("totalCount totalSize", edges="LanguageEdge", nodes="Language"),
    "LanguageEdge": _type("size", node="Language"),
    "Language": _type("color id name"),
    "License": _type("key name nickname spdxId url"),
    "RepositoryTopic": _type("", topic="Topic"),
    "Topic": _type("name"),
    "RepositoryOwner": _abstract("Organization User", "avatarUrl id login url"),
    "Actor": _abstract("Bot Mannequin Organization User", "avatarUrl login url"),
    "Assignee": _abstract("Bot Mannequin Organization User"),
    "User": _type("avatarUrl databaseId id login name url"),
    "Bot": _type("avatarUrl databaseId id login url"),
    "Organization": _type("avatarUrl databaseId id login name url"),
    "Mannequin": _type("avatarUrl databaseId id login url"),
    "Count": _type("totalCount"),
    "PageInfo": _type("endCursor hasNextPage hasPreviousPage startCursor"),
}
SHARED_TYPES |= {
    f"{node}Connection": _connection(node, needed) for node, needed in _CONNECTED.items()
}
SHARED_TYPES |= {f"{node}Edge": _type("cursor", node=node) for node in _CONNECTED}
