"""Which fields a team shares: one unknown thing anywhere makes a query private."""

import pytest

from gh_p2pcache.policy.shared_fields import SHARED_TYPES
from support.policy import asked

SHARED = """
query($owner:String!, $name:String!, $deep:Boolean=true) {
  repository(owner:$owner, name:$name) {
    nameWithOwner
    ...counts
    issues(first:9, states:OPEN) {
      totalCount
      nodes {
        number title author { login ... on User { name } } labels(first:3) { nodes { name } }
      }
      pageInfo { hasNextPage endCursor }
    }
    latest: pullRequests(last:1) @include(if:$deep) { edges { cursor node { title isDraft } } }
    object(expression:"HEAD:README.md") { __typename ... on Blob { text } }
    %s
  }
  %s
}
fragment counts on Repository { forkCount watchers { totalCount } %s }
"""
VARIABLES = {"owner": "o", "name": "r"}


def access(inside="", beside="", fragment="", **variables):
    return asked(SHARED % (inside, beside, fragment), VARIABLES | variables).access


def test_a_query_of_known_fields_is_shared():
    found = access()
    assert found is not None
    assert found.classes == {"issues", "pulls", "contents"}


def test_the_same_with_typename_and_an_inline_fragment_on_its_own_type_is_shared():
    assert access("__typename ... { description } ... on Repository @skip(if:false) { url }")


@pytest.mark.parametrize(
    "field",
    [
        "unknownField",
        "title:unknownField",
        "unknownConnection{nodes{name}}",
        "viewerPermission",
        "viewerHasStarred",
        "parent{name}",
        "templateRepository{name}",
        "releases(first:1){nodes{name}}",
        "latestRelease{tagName}",
        "assignableUsers(first:1){nodes{login}}",
        "mentionableUsers(first:1){nodes{login}}",
        "collaborators{nodes{login}}",
        "deployKeys{totalCount}",
        "environments{totalCount}",
        "rulesets{totalCount}",
        "branchProtectionRules{totalCount}",
        "vulnerabilityAlerts{totalCount}",
        "projectsV2(first:1){nodes{title}}",
        "discussions(first:1){nodes{title}}",
        "mergeCommitAllowed",
        "defaultBranchRef{branchProtectionRule{id}}",
        "issue(number:1){timelineItems{totalCount}}",
        "issue(number:1){parent{title}}",
        "issue(number:1){subIssues{totalCount}}",
        "issue(number:1){blockedBy{totalCount}}",
        "issue(number:1){projectItems(first:1){totalCount}}",
        "issue(number:1){closedByPullRequestsReferences{totalCount}}",
        "issue(number:1){bodyHTML}",
        "issue(number:1){repository{name}}",
        "pullRequest(number:1){reviews(first:1){totalCount}}",
        "pullRequest(number:1){latestReviews(first:1){totalCount}}",
        "pullRequest(number:1){reviewThreads(first:1){totalCount}}",
        "pullRequest(number:1){reviewRequests(first:1){totalCount}}",
        "pullRequest(number:1){reviewDecision}",
        "pullRequest(number:1){mergeStateStatus}",
        "pullRequest(number:1){closingIssuesReferences{totalCount}}",
        "pullRequest(number:1){headRepository{name}}",
        "pullRequest(number:1){mergeCommit{message}}",
        "pullRequest(number:1){files{nodes{viewerViewedState}}}",
        "pullRequest(number:1){author{... on User{email}}}",
        "owner{... on User{status{message}}}",
        "owner{... on Organization{teams{totalCount}}}",
    ],
)
def test_one_field_that_is_not_shared_makes_it_private(field):
    assert access(inside=field) is None
    assert access(fragment=field) is None


@pytest.mark.parametrize(
    "inside",
    [
        "name @live",
        "... @live { name }",
        "... on Unknown { name }",
        "... on User { name }",
        "...missing",
        "issue(number:1){...on Node{id}}",
        "pullRequest(number:1){mergeCommit{... on Commit{message}}}",
        "name{first}",
        "issues",
        "edges",
    ],
)
def test_directives_and_fragments_that_are_not_known_make_it_private(inside):
    assert access(inside=inside) is None


@pytest.mark.parametrize(
    "beside",
    [
        "viewer{login}",
        'search(query:"x",type:ISSUE){issueCount}',
        'node(id:"x"){id}',
        "rateLimit{remaining}",
        'repositoryOwner(login:"x"){login}',
        'other:repository(owner:"o",name:"other"){name}',
        'x:repository(owner:"o",name:$missing){name}',
    ],
)
def test_a_second_thing_at_the_root_makes_it_private(beside):
    assert access(beside=beside) is None


def test_one_repository_under_two_names_is_still_one():
    assert access(beside='again:repository(owner:"O",name:"R"){name}')


@pytest.mark.parametrize(
    ("inside", "variables"),
    [
        ("viewers:name", {}),
        ("name # the Viewer's", {}),
        ('issue(number:1){labels(query:"viewer"){totalCount}}', {}),
        ("issues(filterBy:{viewerSubscribed:true}){totalCount}", {}),
        ('issues(filterBy:{assignee:"@me"}){totalCount}', {}),
        ('issues(filterBy:{assignee:"@ME"}){totalCount}', {}),
        ('issues(filterBy:{assignee:"\\u0040me"}){totalCount}', {}),
        ("issues(filterBy:{assignee:$who}){totalCount}", {"who": "@me"}),
        ("issues(filterBy:$filter){totalCount}", {"filter": {"assignee": ["x", "@Me"]}}),
        ("issues(filterBy:$filter){totalCount}", {"filter": {"viewerSubscribed": True}}),
        ("name", {"viewer": "alice"}),
    ],
)
def test_the_viewer_anywhere_makes_it_private(inside, variables):
    assert access(inside=inside) is None if not variables else access(inside, **variables) is None


def test_a_directive_on_the_operation_makes_it_private():
    assert asked('query @live {repository(owner:"o",name:"r"){name}}').access is None


def test_an_operation_without_a_field_of_the_repository_needs_no_class_and_is_private():
    assert asked("{__typename}").access is None


@pytest.mark.parametrize(
    ("inside", "classes"),
    [
        ("name", {"any"}),
        ("labels(first:1){totalCount}", {"labels"}),
        ("milestones(first:1){nodes{title}}", {"labels"}),
        ("issues{totalCount}", {"issues"}),
        ("issue(number:1){labels{nodes{name}}}", {"issues"}),
        ("pullRequests{totalCount}", {"pulls"}),
        ("issueOrPullRequest(number:1){__typename}", {"issues", "pulls"}),
        ("defaultBranchRef{name}", {"contents"}),
        ('ref(qualifiedName:"x"){target{oid}}', {"contents"}),
        ("pullRequest(number:1){commits(last:1){nodes{commit{oid}}}}", {"pulls"}),
        ("pullRequest(number:1){commits{nodes{commit{statusCheckRollup{state}}}}}",
         {"pulls", "checks", "statuses"}),
    ],
)  # fmt: skip
def test_the_classes_a_query_needs(inside, classes):
    made = asked(f'{{repository(owner:"o",name:"r"){{{inside}}}}}')
    assert made.access is not None
    assert made.access.classes == classes


def test_every_type_that_a_shared_field_leads_to_is_there():
    for shared in SHARED_TYPES.values():
        assert shared.possible | set(shared.links.values()) <= SHARED_TYPES.keys()


def test_nothing_shared_is_named_after_the_viewer_or_rendered():
    names = {name for shared in SHARED_TYPES.values() for name in shared.leaves | set(shared.links)}
    assert not [n for n in names if "viewer" in n.lower() or n.endswith(("HTML", "Text"))]
