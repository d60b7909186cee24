from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.peer.frames import GOSSIP_LIMIT
from gh_p2pcache.peer.messages import Batch
from gh_p2pcache.peer.outbox import MOST, Outbox
from gh_p2pcache.peer.topic import Topic
from support.peers import NOW, SCOPE, proof, validation


def drained(box: Outbox) -> list[Batch]:
    batches = []
    while box.urgent:
        batches.append(box.burials())
    while box.waiting:
        batches.append(box.news())
    return batches


@given(st.lists(st.integers(0, 50)))
def test_only_the_newest_word_on_a_tag_is_sent(numbers):
    box = Outbox()
    for date, number in enumerate(numbers, NOW):
        box.announce(validation(number, date).row())
    rows = [row for batch in drained(box) for row in batch.announcements]
    newest = {number: date for date, number in enumerate(numbers, NOW)}
    assert {int(row.tag.hex(), 16): row.date for row in rows} == newest
    assert len(rows) == len(newest)


def test_whatever_waits_goes_in_messages_that_fit_and_no_more_than_so_much_waits():
    box = Outbox()
    for number in range(MOST + 500):
        box.announce(validation(number).row())
        box.prove([proof(number + 1)])
        box.bury([number.to_bytes(16, "big")], NOW)
        box.bury([number.to_bytes(16, "big")], 0)
    batches = drained(box)
    topic = Topic(SCOPE, b"t" * 32)
    assert all(len(topic.seal(batch)) <= GOSSIP_LIMIT for batch in batches)
    assert all(topic.open(topic.seal(batch)) == batch for batch in batches[:1] + batches[-1:])
    for kind in ("announcements", "tombstones", "undecided", "proofs"):
        assert sum(len(getattr(batch, kind)) for batch in batches) == MOST
