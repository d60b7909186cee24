import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.store.journal import Journal

scalars = st.none() | st.booleans() | st.text(st.characters(codec="utf-8")) | st.binary()
numbers = st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False)
rows = st.lists(scalars | numbers | st.lists(scalars).map(tuple)).map(tuple)


class Book:
    def __init__(self, path, max_bytes=1 << 20):
        self.path = path
        self.events = Counter()
        self.journal = Journal(path, max_bytes, on_event=lambda e: self.events.update([e]))

    def append(self, *rows):
        for row in rows:
            assert self.journal.append(row)


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "journal")


@given(st.lists(rows))
def test_what_is_appended_is_loaded_by_whoever_comes_next(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("j") / "journal"
    Book(path).append(*lines)
    assert Book(path).journal.load() == lines


def test_no_file_is_no_rows_and_no_event(book):
    assert book.journal.load() == []
    assert book.journal.poll() == []
    assert not book.events


def test_poll_returns_each_row_once_whoever_wrote_it(book):
    other = Book(book.path)
    book.append(("a",))
    assert other.journal.poll() == [("a",)]
    other.append(("b",))
    book.append(("c",))
    assert other.journal.poll() == [("b",), ("c",)]
    assert other.journal.poll() == []
    assert book.journal.load() == [("a",), ("b",), ("c",)]
    assert book.journal.poll() == []


def test_a_tail_torn_at_any_byte_is_cut_off_and_written_over(book):
    book.append((1, b"first"), (2, b"second"))
    whole = book.path.read_bytes()
    Book(book.path).append((3, b"third"))
    longest = book.path.read_bytes()
    for length in range(len(whole) + 1, len(longest)):
        book.path.write_bytes(longest[:length])
        later = Book(book.path)
        assert later.journal.load() == [(1, b"first"), (2, b"second")]
        later.append((4, b"fourth"))
        assert Book(book.path).journal.load() == [(1, b"first"), (2, b"second"), (4, b"fourth")]
        assert later.events == {"journal_torn": 1}


def test_a_torn_tail_of_another_process_does_not_swallow_what_comes_after(book):
    other = Book(book.path)
    book.append(("a",))
    other.append(("b",))
    with book.path.open("ab") as file:
        file.write(b"\0\0\0\x09half")
    book.append(("c",))
    other.append(("d",))
    assert Book(book.path).journal.load() == [("a",), ("b",), ("c",), ("d",)]


def test_what_lay_behind_a_torn_tail_never_comes_back(tmp_path):
    book, evil = Book(tmp_path / "journal"), Book(tmp_path / "evil")
    evil.append(("evil",))
    frame = evil.path.read_bytes()[16:]
    book.append(("good",))
    with book.path.open("ab") as file:
        # A torn row that holds a whole one just where the next row will end.
        file.write(b"\0\0\xff\xff".ljust(len(frame), b"\0") + frame)
    book.append(("next",))
    assert Book(book.path).journal.load() == [("good",), ("next",)]


def test_a_link_is_not_followed(book):
    elsewhere = book.path.parent / "elsewhere"
    elsewhere.write_bytes(b"precious")
    book.path.symlink_to(elsewhere)
    assert not book.journal.append(("a",))
    assert book.journal.load() == []
    assert elsewhere.read_bytes() == b"precious"


def test_a_flipped_bit_costs_the_rows_from_there_on_and_never_invents_one(book):
    written = [(number, "x") for number in range(5)]
    book.append(*written)
    whole = book.path.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        book.path.write_bytes(flipped)
        loaded = Book(book.path).journal.load()
        # The random half of the header carries nothing but identity.
        assert loaded == written[: len(loaded)]
        assert len(loaded) < 5 or 8 <= position < 16


@pytest.mark.parametrize("foreign", [b"", b"x", b"foreign" * 100, bytes(5000)])
def test_a_foreign_file_is_no_rows_and_is_replaced(book, foreign):
    book.path.write_bytes(foreign)
    assert book.journal.load() == []
    book.append(("a",))
    assert Book(book.path).journal.load() == [("a",)]


def test_a_full_journal_takes_no_more_until_it_is_rewritten(tmp_path):
    book = Book(tmp_path / "journal", max_bytes=500)
    written = 0
    while book.journal.append((written,)):
        written += 1
    assert book.path.stat().st_size <= 500
    assert book.events == {"journal_full": 1}
    assert book.journal.rewrite(lambda rows: rows[-3:])
    assert book.journal.load() == [(n,) for n in range(written - 3, written)]
    book.append(("again",))
    assert not book.journal.rewrite(lambda _rows: [(b"x" * 500,)])
    assert Book(book.path).journal.load()[-1] == ("again",)


def test_a_rewrite_is_seen_by_those_who_have_the_old_file(book):
    other = Book(book.path)
    book.append(*((n,) for n in range(100)))
    assert len(other.journal.poll()) == 100
    assert book.journal.rewrite(lambda rows: [row for row in rows if row[0] % 10 == 0])
    other.append(("more",))
    assert other.journal.poll() == [(n,) for n in range(0, 100, 10)] + [("more",)]


def test_nobody_elses_eyes(book):
    book.append(("a",))
    book.journal.rewrite(lambda rows: rows)
    assert book.path.stat().st_mode & 0o777 == 0o600


def test_threads_that_append_while_others_compact_lose_nothing(book):
    def write(who):
        journal = Book(book.path)
        for number in range(100):
            journal.append((who, number))

    def compact():
        journal = Book(book.path).journal
        for _ in range(30):
            assert journal.rewrite(lambda rows: rows)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    threads.append(threading.Thread(target=compact))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = book.journal.load()
    assert sorted(rows) == sorted((who, number) for who in range(4) for number in range(100))
    for who in range(4):
        assert [n for w, n in rows if w == who] == list(range(100)), "each in its own order"


def test_a_journal_that_cannot_be_written_says_so_and_goes_on(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    book = Book(tmp_path / "file" / "journal")
    assert not book.journal.append(("a",))
    assert not book.journal.rewrite(lambda rows: rows)
    assert book.journal.load() == []
    assert book.events == {"journal_failed": 3}


def test_a_directory_in_its_place_is_no_rows(book):
    book.path.mkdir()
    assert book.journal.load() == []
    assert not book.journal.append(("a",))
    assert set(book.events) == {"journal_failed"}
