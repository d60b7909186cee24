"""Two machines of a team: what one knows, the other knows."""

from support.sim import SimProcess
from support.wait import until

from .conftest import Team

ISSUES = "/repos/acme/widgets/issues?per_page=5"


def test_the_second_machine_is_answered_by_the_first(team: Team, shared_sim: SimProcess) -> None:
    one, two = team(2)
    first = one.ask(ISSUES)
    assert first.source == "MISS"
    until(lambda: two.total("peer_proofs"))
    calls = shared_sim.billed()
    second = two.ask(ISSUES)
    assert second.source == "PEER"
    assert second.plain == first.plain
    assert shared_sim.billed() == calls
    assert one.id in second.field("cache-status")
