"""The REST API of the small GitHub: a table of routes, a file a subject."""

from gh_p2pcache.sim.rest import (
    actions,
    checks,
    contents,
    git,
    inbox,
    issues,
    people,
    pulls,
    releases,
    repos,
    settings,
)
from gh_p2pcache.sim.rest.router import dispatch

SUBJECTS = (actions, checks, contents, git, inbox, issues, people, pulls, releases, repos, settings)
"""The modules that fill the table of routes; importing them is what registers the routes."""

__all__ = ["SUBJECTS", "dispatch"]
