"""Places and disks that fail: a miss or nothing kept, said by an event, and well again after."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from gh_p2pcache.records.record import Validation
from gh_p2pcache.store.locks import Locks
from gh_p2pcache.store.usage import Usage
from support.store import DATE, KEYS, Shop, a_record
from support.store_writer import is_whole

NOBODY = 65534
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")


def use_everything(shop: Shop) -> None:
    """Call all there is; whatever the disk says, nothing may be raised."""
    tag = KEYS.tag(b"a")
    shop.put(a_record(body=os.urandom(5000)))
    shop.get()
    shop.get("absent")
    shop.store.refresh(tag, KEYS, Validation(bytes(32), DATE, 1.0, 1.0))
    shop.store.touch(tag)
    list(shop.store.walk([KEYS]))
    shop.store.check(tag, [KEYS])
    shop.store.usage()
    shop.store.remove(tag)
    shop.store.clear()


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "cache")


def test_a_store_deleted_under_it_begins_anew(shop):
    for _ in range(3):
        shop.put(a_record())
        shop.settle()
        shutil.rmtree(shop.root)
        assert shop.get() is None
        assert not shop.store.refresh(KEYS.tag(b"a"), KEYS, Validation(bytes(32), DATE, 1.0, 1.0))
        assert not shop.store.remove(KEYS.tag(b"a"))
        assert shop.store.usage() == Usage(0, 0)
        assert shop.put(a_record())
        assert shop.get().record == a_record()
    assert not shop.events


def test_a_file_in_the_stores_place_means_working_without_keeping(shop):
    shop.put(a_record())
    shop.settle()
    shutil.rmtree(shop.root)
    shop.root.write_text("a file")
    assert shop.put(a_record()) is None
    assert shop.get() is None
    assert shop.store.check(KEYS.tag(b"a"), [KEYS]) == "unreadable"
    use_everything(shop)
    assert shop.root.read_text() == "a file"
    assert set(shop.events) == {"write_failed", "read_failed"}
    shop.root.unlink()
    assert shop.put(a_record())


@pytest.mark.parametrize("part", ["usage", "locks", "records", "quarantine"])
@pytest.mark.parametrize("thing", ["file", "directory", "pipe", "dangling link"])
def test_foreign_things_in_the_place_of_its_parts_are_survived(shop, part, thing):
    shop.put(a_record())
    shop.settle()
    place = shop.root / part
    shutil.rmtree(place, ignore_errors=True)
    place.unlink(missing_ok=True)
    match thing:
        case "file":
            place.write_bytes(b"foreign")
        case "directory":
            (place / "inside").mkdir(parents=True)
        case "pipe":
            os.mkfifo(place)
        case _:
            place.symlink_to(shop.root / "nowhere")
    use_everything(shop)
    shop.put(a_record())
    if shop.path().exists():
        shop.path().write_bytes(b"damage")
    assert shop.get() is None or thing in {"file", "directory"}


def test_no_link_in_the_place_of_its_parts_is_followed(shop):
    shop.put(a_record())
    shop.settle()
    precious = shop.root / "precious"
    precious.write_bytes(b"precious")
    for place in (shop.root / "usage", shop.path()):
        place.unlink(missing_ok=True)
        place.symlink_to(precious)
        use_everything(shop)
    assert precious.read_bytes() == b"precious"


def test_a_lock_that_is_never_released_costs_a_record_and_no_more(shop):
    shop.put(a_record("a"))
    with Locks(shop.root / "locks").held(KEYS.tag(b"a")[:2]):
        assert shop.put(a_record("a", body=b"new")) is None
        assert shop.get().record == a_record(), "readers take no lock"
    assert shop.events == {"write_failed": 1}
    assert shop.put(a_record("a", body=b"new"))


@pytest.fixture
def common_shop():
    """A store of a user whom permissions hold back: root becomes nobody for the while."""
    root = Path(tempfile.mkdtemp(prefix="gh-p2pcache-test-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(root, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    shop = Shop(root / "cache")
    yield shop
    shop.settle()
    if is_root:
        os.seteuid(0)
        os.setegid(0)
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(root)


@contextmanager
def modes(root: Path, directories: int, files: int):
    everything = [root, *root.rglob("*")]
    for path in reversed(everything):
        path.chmod(directories if path.is_dir() else files)
    yield
    for path in everything:
        path.chmod(0o700)


def test_a_read_only_store_is_read_and_not_written(common_shop):
    shop = common_shop
    first = shop.put(a_record())
    shop.put(a_record("bad"))
    shop.path("bad").write_bytes(b"damage")
    shop.settle()
    with modes(shop.root, 0o500, 0o400):
        assert shop.get().record == a_record()
        assert shop.store.usage().records == 2
        assert not shop.events
        assert shop.put(a_record(body=b"new")) is None
        assert shop.put(a_record("other")) is None
        assert not shop.store.refresh(KEYS.tag(b"a"), KEYS, first)
        assert not shop.store.remove(KEYS.tag(b"a"))
        assert shop.get("bad") is None
        assert shop.store.clear() == 0
        assert shop.get().record == a_record()
    assert shop.events == {"write_failed": 5, "read_failed": 1}
    assert shop.put(a_record(body=b"new"))


def test_a_file_that_lost_its_permissions_is_set_aside(common_shop):
    common_shop.put(a_record())
    common_shop.path().chmod(0)
    assert common_shop.get() is None
    assert common_shop.events == {"quarantined": 1}
    assert common_shop.put(a_record())
    assert common_shop.get()


def test_directories_that_lost_their_permissions_are_misses(common_shop):
    shop = common_shop
    shop.put(a_record())
    for part in (shop.root, shop.root / "records", shop.path().parent):
        part.chmod(0)
        use_everything(shop)
        assert shop.get() is None
        assert shop.put(a_record()) is None
        part.chmod(0o700)
        assert shop.put(a_record())
        assert shop.get()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False).returncode != 0:
        pytest.skip("only root mounts a small disk; strace stands for it below")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_means_keeping_what_is_there(small_disk):
    shop = Shop(small_disk / "cache")
    shop.put(a_record("a"))
    shop.put(a_record("b"))
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(1 << 20))

    large = os.urandom(20_000)
    assert shop.put(a_record("a", body=large)) is None
    assert shop.put(a_record("new", body=large)) is None
    assert shop.get("a").record == a_record("a")
    assert shop.store.refresh(KEYS.tag(b"a"), KEYS, shop.get("a").validation), "needs no room"
    assert shop.events == {"write_failed": 2}
    assert not [path for path in shop.files() if path.name.startswith(".")]
    assert shop.store.remove(KEYS.tag(b"b")), "removing needs no room either"

    filler.unlink()
    assert shop.put(a_record("a", body=large))
    assert shop.store.usage() == Usage(*shop.on_disk())


def test_a_disk_that_takes_half_a_record_keeps_none_of_it(small_disk):
    shop = Shop(small_disk / "cache")
    shop.put(a_record("a"))
    kept = [
        number for number in range(40) if shop.put(a_record(str(number), body=os.urandom(9000)))
    ]
    assert 5 < len(kept) < 40
    assert shop.events["write_failed"] == 40 - len(kept)
    for number in range(40):
        assert (shop.get(str(number)) is not None) == (number in kept)
    assert "quarantined" not in shop.events


@needs_strace
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("flock", "ENOLCK"),
        ("fchmod", "EIO"),
        ("write", "EIO"),
        ("write", "ENOSPC"),
        ("pwrite64", "EIO"),
        ("pwrite64", "ENOSPC"),
        ("pread64", "EIO"),
        ("?rename,?renameat,?renameat2", "EIO"),
        ("?rename,?renameat,?renameat2", "ENOSPC"),
        ("?rename,?renameat,?renameat2", "EROFS"),
        ("ftruncate", "EIO"),
    ],
)
def test_errors_of_the_disk_fail_no_writer(writers, call, error):
    inject = f"inject={call}:error={error}:when=9+4"
    under = ("strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    writer = writers.start("w", 60, under=under)
    output, errors = writer.communicate()
    assert writer.returncode == 0, errors
    assert "Traceback" not in errors
    assert re.search("_failed", output.splitlines()[-1])
    shop = Shop(writers.root)
    assert all(is_whole(kept) for _, kept in shop.store.walk([KEYS]))
    assert shop.put(a_record())


@needs_strace
@pytest.mark.parametrize("call", ["openat", "read"])
def test_a_record_that_the_disk_cannot_read_is_a_miss(shop, call):
    shop.put(a_record())
    reading = (
        "import sys; from pathlib import Path; from support.store import Shop;"
        "shop = Shop(Path(sys.argv[1])); print(shop.get(), dict(shop.events))"
    )
    under = ("strace", "-f", "-qqq", "-o", "/dev/null", "-P", str(shop.path()))
    inject = ("-e", f"trace={call}", "-e", f"inject={call}:error=EIO")
    path = os.pathsep.join(sys.path)
    answer = subprocess.run(
        [*under, *inject, sys.executable, "-c", reading, str(shop.root)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "None {'quarantined': 1}\n"
    assert shop.get() is None
    assert shop.put(a_record())


def test_trouble_is_counted_each_time_and_logged_once_in_a_while(shop, caplog):
    shop.root.write_text("a file")
    for _ in range(5):
        shop.put(a_record())
    assert shop.events == {"write_failed": 5}
    assert [record.getMessage()[:19] for record in caplog.records] == ["store: write_failed"]
