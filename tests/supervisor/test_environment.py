from gh_p2pcache import settings
from gh_p2pcache.supervisor import environment


def test_every_setting_of_the_daemon_and_every_foreign_name_that_counts_is_kept() -> None:
    ours = {name.name for name in settings.NAMES if "D" in name.read_by}
    aliases = {name.alias for name in settings.NAMES if name.alias}

    assert set(environment.OURS) == ours | aliases
    assert set(settings.FOREIGN) < set(environment.FOREIGN)
    assert environment.KEEPER == settings.KEEPER


def test_a_runner_finds_the_daemon_of_its_job_by_the_tracking_id() -> None:
    env = {"RUNNER_TRACKING_ID": "github_1", "CACHE_STATE_DIR": "/s"}

    assert environment.kept(env, "/s") == env
    assert environment.kept(env | {"RUNNER_TRACKING_ID": ""}, "/s") == {"CACHE_STATE_DIR": "/s"}


def test_xdg_names_are_kept_and_the_state_directory_is_the_daemon_s_own() -> None:
    env = {"XDG_CACHE_HOME": "/c", "CACHE_STATE_DIR": "relative", "GITHUB_TOKEN": "t", "CI": ""}

    assert environment.kept(env, "/s") == {"XDG_CACHE_HOME": "/c", "CACHE_STATE_DIR": "/s"}
