"""Teams: who shares what with whom, and the secret that makes a machine a member."""

from gh_p2pcache.teams.files import Membership, Team, memberships
from gh_p2pcache.teams.held import SHARED, load_teams

__all__ = ["SHARED", "Membership", "Team", "load_teams", "memberships"]
