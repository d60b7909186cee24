"""Gateways for the tests of this folder, and an origin that can be told what to say."""

from support.gateway import gateway, gateways, lasting_gateway, lasting_gateways, team_gateway
from support.origin import origin

__all__ = [
    "gateway",
    "gateways",
    "lasting_gateway",
    "lasting_gateways",
    "origin",
    "team_gateway",
]
