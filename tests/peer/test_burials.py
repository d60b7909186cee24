from pathlib import Path

import pytest

from gh_p2pcache.peer.burials import Burials
from gh_p2pcache.peer.clock import GitHubTime
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.knowledge import Knowledge
from gh_p2pcache.store.journal import Journal
from support.peers import NOW, SCOPE, Clock

MARK = b"m" * 16


class Events(list[str]):
    """The journal's, and nobody to tell what members say."""

    def buried(self, *_: object) -> None: ...

    def undecided(self, *_: object) -> None: ...

    def proved(self, *_: object) -> None: ...

    def announced(self, *_: object) -> None: ...


def journal(path: Path, events: Events, max_bytes: int = 1 << 16) -> Journal:
    return Journal(path / "burials", max_bytes, on_event=events.append)


@pytest.fixture
def events():
    found = Events()
    yield found
    assert found == []


def knowledge(path: Path, events: Events) -> Knowledge:
    clock = GitHubTime(Clock())
    burials = Burials(journal(path, events), clock)
    return Knowledge(
        "me", [SCOPE], index=Index(clock), clock=clock, listener=events, burials=burials
    )


def test_a_burial_outlives_the_process_that_heard_of_it(tmp_path, events):
    before = knowledge(tmp_path, events)
    before.bury(SCOPE, (MARK, b"n" * 16), NOW)
    before.bury(SCOPE, (b"u" * 16,), 0)
    after = knowledge(tmp_path, events)
    rows = after.replica(SCOPE).tombstones.rows()
    assert {row.mark for row in rows} == {MARK, b"n" * 16}
    assert rows == before.replica(SCOPE).tombstones.rows()
    assert after.replica(SCOPE).undecided() == ()


def test_a_scope_that_is_ours_no_more_and_rows_that_are_no_burials_are_left_out(tmp_path, events):
    log = journal(tmp_path, events)
    for row in [(b"another!", (MARK,), NOW), ("rubbish",), (SCOPE, (b"short",), NOW), (1, 2, 3)]:
        log.append(row)
    assert knowledge(tmp_path, events).replica(SCOPE).tombstones.rows() == []


def test_burials_of_yesterday_make_room(tmp_path):
    clock, events = Clock(), Events()
    burials = Burials(journal(tmp_path, events, 2000), clock)
    for _ in range(200):
        burials.add(SCOPE, (MARK,), int(clock.now))
        clock.now += 3600
    dates = [bury.date for bury in burials.load()]
    assert len(dates) == 23
    assert min(dates) > clock.now - 86_400
    assert set(events) <= {"journal_full"}
