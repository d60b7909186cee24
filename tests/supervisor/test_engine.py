"""Which engine a supervisor is of, and when another has taken its place."""

from pathlib import Path

from gh_p2pcache.supervisor.engine import Engine


def engine(home: Path) -> Path:
    package = home / "lib/python3.12/site-packages/gh_p2pcache/supervisor"
    package.mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "bin/python").touch(mode=0o700)
    return home


def selected(tmp_path: Path, home: Path) -> None:
    new = tmp_path / "new"
    new.symlink_to(home)
    new.replace(tmp_path / "engine")


def test_the_engine_behind_the_link_is_named_by_its_real_path(tmp_path: Path) -> None:
    one, two = engine(tmp_path / "one"), engine(tmp_path / "two")
    selected(tmp_path, one)
    package = str(one / "lib/python3.12/site-packages/gh_p2pcache/supervisor/engine.py")
    running = Engine(str(tmp_path / "engine/bin/python"), package)
    assert not running.replaced()

    selected(tmp_path, two)

    assert running.replaced()
    assert running.gateway()[0] == str(one / "bin/python")
    assert running.gateway()[-1] == str(one / "lib/python3.12/site-packages")
    assert running.supervisor() == [
        str(tmp_path / "engine/bin/python"),
        "-I",
        "-S",
        str(two / "lib/python3.12/site-packages/gh_p2pcache/supervisor/__main__.py"),
    ]


def test_an_engine_that_was_passed_over_is_not_tried_again_but_the_next_one_is(
    tmp_path: Path,
) -> None:
    selected(tmp_path, engine(tmp_path / "one"))
    running = Engine(str(tmp_path / "engine/bin/python"))
    selected(tmp_path, engine(tmp_path / "two"))

    running.keep()
    assert not running.replaced()

    selected(tmp_path, engine(tmp_path / "three"))
    assert running.replaced()


def test_an_engine_without_a_python_or_no_engine_at_all_replaces_nothing(tmp_path: Path) -> None:
    selected(tmp_path, engine(tmp_path / "one"))
    running = Engine(str(tmp_path / "engine/bin/python"))

    broken = engine(tmp_path / "broken")
    (broken / "bin/python").unlink()
    selected(tmp_path, broken)
    assert not running.replaced()

    (tmp_path / "engine").unlink()
    assert not running.replaced()


def test_a_checkout_is_run_by_an_engine_that_has_no_package_of_its_own(tmp_path: Path) -> None:
    home = tmp_path / "venv"
    (home / "bin").mkdir(parents=True)
    running = Engine(str(home / "bin/python"), "/checkout/python/gh_p2pcache/supervisor/engine.py")

    assert running.gateway()[-1] == "/checkout/python"
    assert running.supervisor()[-1] == "/checkout/python/gh_p2pcache/supervisor/__main__.py"
