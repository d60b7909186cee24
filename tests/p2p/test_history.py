"""Five machines at random: asked, written through, killed and parted. All promises hold.

P2P_HISTORY_SECONDS and P2P_HISTORY_SEED make it longer and another.
"""

import os

from support.players import Disturber, Players
from support.sim import SimProcess
from support.team import wait

from .conftest import Team

SECONDS = float(os.environ.get("P2P_HISTORY_SECONDS", "12"))
SEED = int(os.environ.get("P2P_HISTORY_SEED", "1"))


def test_the_promises_hold_whatever_happens(team: Team, shared_sim: SimProcess) -> None:
    machines = team(5)
    players = Players(machines, shared_sim, SEED)
    disturb = Disturber(machines, shared_sim, players.history)
    try:
        players.play(disturb, SECONDS)
    finally:
        disturb.heal()
    history = players.history
    print(f"{players.calls} calls, {dict(players.sources)}, {dict(disturb.done)}")
    assert history.wrong() == [], history.killed
    assert players.sources["PEER"]
    assert len(history.writes) > len(machines)
    for one in machines:
        wait(lambda one=one: players.settled(one), 30, one)
