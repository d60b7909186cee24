"""Gateways for the tests of this folder, and an origin that can be told what to say."""

from support.gateway import gateway, gateways, team_gateway
from support.origin import origin

__all__ = ["gateway", "gateways", "origin", "team_gateway"]
