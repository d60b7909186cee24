"""The REST API of the small GitHub: a table of routes, a file a subject."""

from gh_p2pcache.sim.rest import (
    issues as issues,
)
from gh_p2pcache.sim.rest import (
    people as people,
)
from gh_p2pcache.sim.rest import (
    repos as repos,
)
from gh_p2pcache.sim.rest.router import dispatch as dispatch
