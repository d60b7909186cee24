"""run/settings: written once, compared by sh at every call."""

from pathlib import Path

from gh_p2pcache import published, settings


def written(path: Path, env: dict[str, str]) -> list[str]:
    published.write(path, env, settings.load(env).effective)
    return path.read_text().splitlines()


def test_the_first_line_is_the_environment_in_the_order_that_sh_has(tmp_path: Path) -> None:
    env = {"CACHE_UPSTREAM": "https://up", "NO_PROXY": "local", "IPFS_ACCELERATE_CACHE_DIR": "/c"}

    first = written(tmp_path / "settings", env)[0]

    entry = (Path(__file__).parents[1] / "gh-p2pcache").read_text()
    line = entry[entry.index('set -- "${CACHE_UPSTREAM-}') :].partition('"\n')[0]
    names = [part.strip('${}-\\\n"') for part in line.removeprefix('set -- "').split("|")]
    names = [name.partition(":-")[0] for name in names]
    assert names == list(published.LINE)
    assert first == "https://up|||||||local||||/c|||||||||||||"


def test_a_secret_is_published_as_a_salted_hash_only(tmp_path: Path) -> None:
    env = {"CACHE_P2P_SHARED_SECRET": "hunter2", "HTTPS_PROXY": "http://user:pw@proxy:1"}

    lines = written(tmp_path / "settings", env)

    assert "hunter2" not in "\n".join(lines)
    assert "pw" not in "\n".join(lines)
    assert lines[0] == published.OPAQUE
    row = next(line for line in lines if line.startswith("CACHE_P2P_SHARED_SECRET "))
    salt = row.split()[2].partition(":")[0]
    assert row.split()[2] == published.salted_hash("hunter2", salt)


def test_the_same_settings_leave_the_file_alone_and_others_replace_it(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    env = {"CACHE_P2P_SHARED_SECRET": "hunter2"}
    written(path, env)
    first = path.stat()

    written(path, env)
    assert path.stat().st_ino == first.st_ino

    written(path, {"CACHE_P2P_SHARED_SECRET": "other"})
    assert path.stat().st_ino != first.st_ino


def test_a_value_from_config_toml_is_published_with_its_source(tmp_path: Path) -> None:
    effective = settings.load({}, {"trust": "team"}).effective
    published.write(tmp_path / "settings", {}, effective)

    assert "CACHE_TRUST file team" in (tmp_path / "settings").read_text().splitlines()
