"""`install.sh --uninstall`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gh_p2pcache import paths
from gh_p2pcache.installer import register
from gh_p2pcache.installer.progress import Progress


def remove(data: Path, checkout: Path, *, keep_cache: bool, progress: Progress) -> None:
    """Stop the daemon and take back what install.sh and the daemon made."""
    env = os.environ
    usual = paths.data_dir(env)
    register.remove_alias(progress)
    register.remove_extension(usual.parent, checkout, progress)
    shutil.rmtree(data, ignore_errors=True)
    if usual.is_symlink():
        usual.unlink()
    progress.say(f"  removed {data}")
    if keep_cache:
        return
    for path in (paths.state_dir(env), paths.cache_dir(env), paths.config_file(env).parent):
        if path.exists():
            shutil.rmtree(path, ignore_errors=True)
            progress.say(f"  removed {path}")
