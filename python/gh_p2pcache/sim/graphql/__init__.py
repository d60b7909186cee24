"""GraphQL of the small GitHub: documents are walked over plain data, without a schema."""

from gh_p2pcache.sim.graphql.operation import read as read
