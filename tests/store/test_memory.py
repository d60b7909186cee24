from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.store.memory import MemoryLRU

steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 60)),
        st.tuples(st.just("get"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("pop"), st.integers(0, 9), st.just(0)),
    )
)


@given(steps)
def test_it_keeps_what_was_used_last_within_its_bytes(steps):
    lru: MemoryLRU[int, int] = MemoryLRU(100)
    model: OrderedDict[int, int] = OrderedDict()
    for what, key, size in steps:
        if what == "put":
            lru.put(key, size, size)
            model.pop(key, None)
            model[key] = size
            while sum(model.values()) > 100:
                model.popitem(last=False)
        elif what == "get":
            assert lru.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
        else:
            assert lru.pop(key) == model.pop(key, None)
        assert lru.bytes == sum(model.values()) <= 100
        assert len(lru) == len(model)


def test_what_is_larger_than_all_the_room_is_not_kept_and_costs_nobody_its_place():
    lru: MemoryLRU[str, str] = MemoryLRU(10)
    lru.put("a", "small", 5)
    lru.put("b", "huge", 11)
    assert lru.get("a") == "small"
    assert lru.get("b") is None
    lru.put("a", "grown", 11)
    assert lru.get("a") is None
    assert lru.bytes == 0


def test_clear_forgets_everything():
    lru: MemoryLRU[str, str] = MemoryLRU(10)
    lru.put("a", "x", 5)
    lru.clear()
    assert lru.get("a") is None
    assert (len(lru), lru.bytes) == (0, 0)
