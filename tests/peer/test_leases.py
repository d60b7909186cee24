"""One fetches and the others wait: the owner's leases on a virtual clock."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gh_p2pcache.peer import leases
from gh_p2pcache.peer.leases import GO, LIFE, PROBATION, SILENCE, YOURS, Leases, Verdict
from gh_p2pcache.peer.messages import Claim, ValidationRow

KEY = (b"scope---", "tag")
OTHER = (b"scope---", "other tag")
CLAIM = Claim("a", ValidationRow(bytes(16), bytes(32), 1, 0.0, 1, bytes(32), bytes(64)))


def queue_of(*peers: str) -> Leases:
    """Return leases with one ask of each peer, numbered from 0, on KEY at time 0."""
    subject = Leases()
    for number, peer in enumerate(peers):
        assert subject.ask(KEY, number, peer, 0.0) == (None if number else YOURS)
    return subject


def test_all_that_wait_are_told_at_once_who_announced() -> None:
    subject = queue_of("a", "b", "c")
    held = Verdict(claims=(CLAIM,))
    assert subject.settle(KEY, (CLAIM,)) == [(1, held), (2, held)]
    assert len(subject) == 0
    assert subject.ask(KEY, 3, "d", 0.1) == YOURS


def test_a_broken_stream_gives_the_lease_to_exactly_one() -> None:
    subject = queue_of("a", "b", "c")
    assert subject.end(0, 0.5) == [(1, YOURS)]
    assert subject.holder(KEY) == "b"
    assert subject.end(2, 0.6) == []  # only waited
    assert subject.end(1, 0.7) == []
    assert len(subject) == 0


def test_a_fill_without_a_record_sends_everyone_on() -> None:
    subject = queue_of("a", "b", "c")
    assert subject.release(1) == []  # only waits
    assert subject.release(0) == [(1, GO), (2, GO)]
    assert subject.release(0) == []


def test_silence_ends_a_lease_and_progress_prolongs_it() -> None:
    subject = queue_of("a", "b")
    subject.progress(0, SILENCE * 0.5)
    subject.progress(1, SILENCE * 1.25)  # who only waits prolongs nothing
    assert subject.overdue(SILENCE * 1.25) == []
    assert subject.overdue(SILENCE * 1.5) == [(1, YOURS)]


def test_progress_does_not_prolong_for_ever() -> None:
    subject = Leases()
    subject.ask(KEY, 0, "a", 0.0)
    subject.ask(KEY, 1, "b", 5.0)
    now = 0.0
    while now < LIFE - 0.5:
        now += 0.5
        subject.progress(0, now)
        assert not subject.overdue(now - 0.1)
    assert subject.overdue(LIFE) == [(1, YOURS)]


def test_nobody_waits_longer_than_a_lease_lasts() -> None:
    subject = queue_of("a", "b")
    subject.end(0, 0.0)
    subject.ask(KEY, 2, "c", 1.0)
    for tenth in range(1, 100):
        subject.progress(1, tenth / 10)
    assert subject.overdue(LIFE)[0] == (2, YOURS)
    subject.ask(KEY, 3, "d", LIFE + 0.5)
    for tenth in range(100, 205):
        subject.progress(2, tenth / 10)
    assert (3, YOURS) in subject.overdue(2 * LIFE)


def test_a_peer_whose_lease_lapsed_makes_nobody_wait_for_a_while() -> None:
    subject = queue_of("slow")
    subject.overdue(SILENCE)
    assert subject.ask(KEY, 1, "slow", SILENCE + 1) == GO
    assert subject.ask(KEY, 2, "b", SILENCE + 1) == YOURS
    subject.overdue(SILENCE + PROBATION)
    assert subject.ask(OTHER, 3, "slow", SILENCE + PROBATION) == YOURS


def test_a_peer_on_probation_is_passed_over_in_the_queue() -> None:
    subject = Leases()
    subject.ask(OTHER, 0, "slow", 0.0)
    subject.overdue(SILENCE)
    subject.ask(KEY, 1, "a", SILENCE)
    subject.ask(KEY, 2, "slow", SILENCE)
    subject.ask(KEY, 3, "b", SILENCE)
    assert subject.end(1, SILENCE) == [(2, GO), (3, YOURS)]


def test_bounds_send_askers_to_github_and_not_into_memory() -> None:
    subject = Leases()
    for number in range(leases.MOST_LEASES):
        assert subject.ask((b"scope---", str(number)), number, "greedy", 0.0) == YOURS
    assert subject.ask(KEY, -1, "greedy", 0.0) == GO
    assert subject.ask(KEY, -2, "modest", 0.0) == YOURS
    waiting = [subject.ask(KEY, 10_000 + n, "many", 0.0) for n in range(leases.MOST_WAITING + 1)]
    assert waiting[:-1] == [None] * leases.MOST_WAITING
    assert waiting[-1] == GO


class Machine(RuleBasedStateMachine):
    """Any order of asks, ends, announcements and silences."""

    def __init__(self) -> None:
        super().__init__()
        self.subject = Leases()
        self.now = 0.0
        self.number = 0
        self.waiting: dict[int, tuple[leases.Key, float]] = {}
        self.live: dict[leases.Key, tuple[int, float, float]] = {}

    def hear(self, told: leases.Told) -> None:
        for ask, verdict in told:
            key, _ = self.waiting.pop(ask)
            if verdict == YOURS:
                assert key not in self.live, "two live leases"
                self.live[key] = (ask, self.now, self.now)

    @rule(key=st.sampled_from([KEY, OTHER]), peer=st.sampled_from("abc"))
    def ask(self, key: leases.Key, peer: str) -> None:
        self.number += 1
        verdict = self.subject.ask(key, self.number, peer, self.now)
        if verdict is None:
            assert key in self.live, "it waits for nobody"
        self.waiting[self.number] = (key, self.now)
        if verdict is not None:
            self.hear([(self.number, verdict)])

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def break_a_lease(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.live)))
        ask, _, _ = self.live.pop(key)
        told = self.subject.end(ask, self.now)
        assert sum(verdict == YOURS for _, verdict in told) <= 1
        self.hear(told)
        if not any(verdict == YOURS for _, verdict in told):
            assert key not in {waited for waited, _ in self.waiting.values()}, "left behind"

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def stop_waiting(self, data: st.DataObject) -> None:
        ask = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[ask]
        assert self.subject.end(ask, self.now) == []

    @precondition(lambda self: self.live)
    @rule(data=st.data(), announced=st.booleans())
    def settle(self, data: st.DataObject, announced: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.live)))
        ask, _, _ = self.live.pop(key)
        expected = {ask for ask, (waited, _) in self.waiting.items() if waited == key}
        told = self.subject.settle(key, (CLAIM,)) if announced else self.subject.release(ask)
        assert {ask for ask, _ in told} == expected
        assert all(verdict == Verdict(claims=(CLAIM,) * announced) for _, verdict in told)
        self.hear(told)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def progress(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.live)))
        ask, granted, _ = self.live[key]
        self.subject.progress(ask, self.now)
        self.live[key] = (ask, granted, self.now)

    @rule(seconds=st.sampled_from([0.1, SILENCE / 2, SILENCE, LIFE]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for key, (_, granted, heard) in list(self.live.items()):
            if self.now - granted >= LIFE or self.now - heard >= SILENCE:
                del self.live[key]
        self.hear(self.subject.overdue(self.now))
        assert all(self.now - since < LIFE for _, since in self.waiting.values())

    @invariant()
    def it_knows_what_is_live(self) -> None:
        for key in (KEY, OTHER):
            assert (self.subject.holder(key) is not None) == (key in self.live)
        assert len(self.subject) == len(self.live)


TestAnyOrder = Machine.TestCase
