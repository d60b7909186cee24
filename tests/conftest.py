"""Fixtures that every test may use, and how thoroughly hypothesis looks."""

import os
import signal

from hypothesis import HealthCheck, settings

from support.daemon import daemon, engine
from support.entry import entry, shared_entry, warm
from support.gh import gh, ghs
from support.sim import certificate, shared_sim, sim, sim_factory

__all__ = [
    "certificate",
    "daemon",
    "engine",
    "entry",
    "gh",
    "ghs",
    "shared_entry",
    "shared_sim",
    "sim",
    "sim_factory",
    "warm",
]

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("long", settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts us in the background has it ignored, and so would every child: no test
    # of Ctrl-C could end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
