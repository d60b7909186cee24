"""Fixtures that every test may use, and how thoroughly hypothesis looks."""

import os

from hypothesis import HealthCheck, settings

from support.daemon import daemon, engine
from support.gh import gh, ghs
from support.sim import certificate, shared_sim, sim, sim_factory

__all__ = ["certificate", "daemon", "engine", "gh", "ghs", "shared_sim", "sim", "sim_factory"]

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("long", settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
