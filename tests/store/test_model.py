"""The store against the simplest model of it, under any sequence of what may happen."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gh_p2pcache.records.record import Record, Validation
from gh_p2pcache.store.usage import Usage
from support.store import DATE, KEYS, Shop, a_record

names = st.sampled_from("abc")
dates = st.integers(DATE, DATE + 5)


class StoreAndModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="gh-p2pcache-test-"))
        self.shops = [Shop(self.directory / "cache") for _ in range(2)]
        self.kept: dict[str, tuple[Record, Validation]] = {}
        self.asides = 0
        self.has_put = False

    def teardown(self):
        if self.has_put:
            self.shops[0].settle()
        # The recount in the background may still be at it.
        shutil.rmtree(self.directory, ignore_errors=True)

    @rule(who=st.integers(0, 1), name=names, date=dates, body=st.binary(max_size=9000))
    def put(self, who, name, date, body):
        record = a_record(name, body=body, github_date=date)
        validation = self.shops[who].put(record, date=date)
        self.has_put = True
        newest = self.kept[name][1].github_date if name in self.kept else 0
        assert (validation is not None) == (date >= newest)
        if validation:
            self.kept[name] = (record, validation)

    @rule(who=st.integers(0, 1), name=names, date=dates, ttl=st.floats(0, allow_nan=False))
    def not_modified(self, who, name, date, ttl):
        record, known = self.kept.get(name, (None, Validation(bytes(32), 0, 0.0, 0.0)))
        newer = replace(known, github_date=date, ttl=ttl)
        done = self.shops[who].store.refresh(KEYS.tag(name.encode()), KEYS, newer)
        assert done == (record is not None and date >= known.github_date)
        if done:
            self.kept[name] = (record, newer)

    @rule(who=st.integers(0, 1), name=names)
    def remove(self, who, name):
        removed = self.shops[who].store.remove(KEYS.tag(name.encode()))
        assert removed == (self.kept.pop(name, None) is not None)

    @rule(name=names, where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def damage(self, name, where, bit):
        if name in self.kept:
            path = self.shops[0].path(name)
            data = bytearray(path.read_bytes())
            data[int(where * len(data))] ^= 1 << bit
            path.write_bytes(data)
            assert self.shops[0].get(name) is None
            self.asides += 1
            del self.kept[name]

    @rule(who=st.integers(0, 1))
    def restart(self, who):
        self.asides -= self.shops[who].events["quarantined"]
        self.shops[who] = Shop(self.directory / "cache")

    @invariant()
    def reads_give_what_the_model_holds(self):
        for shop in self.shops:
            for name in "abc":
                kept = shop.get(name)
                assert (kept and (kept.record, kept.validation)) == self.kept.get(name)

    @invariant()
    def nothing_else_went_wrong(self):
        told = self.shops[0].events + self.shops[1].events
        assert set(told) <= {"quarantined", "outdated"}
        assert told["quarantined"] == self.asides

    @invariant()
    def the_count_is_right(self):
        for shop in self.shops:
            assert shop.store.usage() == Usage(*shop.on_disk())


TestStoreAndModel = StoreAndModel.TestCase
TestStoreAndModel.settings = settings(max_examples=25, stateful_step_count=25)
