"""Which engine this process runs from, and whether an upgrade has put another in its place."""

from __future__ import annotations

import os
import sys

_RUN = (
    "import runpy, sys; module, root = sys.argv[1:]; del sys.argv[1:];"
    " root in sys.path or sys.path.insert(0, root);"
    " runpy.run_module(module, run_name='__main__', alter_sys=True)"
)
"""A package of the same tree as the supervisor, installed or a checkout."""


class Engine:
    """An environment: `bin/python` and the package, usually behind the link `engine`."""

    def __init__(self, python: str = sys.executable, package: str = __file__) -> None:
        self._name = os.path.basename(python)
        self._link = os.path.dirname(os.path.dirname(os.path.abspath(python)))
        self.home = os.path.realpath(self._link)
        self._passed_over = ""
        self._root = os.path.realpath(package).rsplit("/gh_p2pcache/", 1)[0]

    def gateway(self) -> list[str]:
        """Return the command of this engine's gateway."""
        return self._run("gh_p2pcache.gateway")

    def peer(self) -> list[str]:
        """Return the command of this engine's peer process."""
        return self._run("gh_p2pcache.peer")

    def peers_installed(self) -> int:
        """Return which set-up of the peers' packages is there: another number another one, 0 none.

        Not where they are installed with the engine's own, as for the tests.
        """
        try:
            return os.stat(os.path.join(self.home, "peer-site")).st_ino
        except OSError:
            return 0

    def supervisor(self) -> list[str]:
        """Return the command (its last argument to be added) of the engine that is in use now."""
        python = os.path.join(self._link, "bin", self._name)
        main = "gh_p2pcache/supervisor/__main__.py"
        return [python, "-I", "-S", os.path.join(self._root_now(), main)]

    def replaced(self) -> bool:
        """Say whether another engine that can be started is in use now."""
        now = os.path.realpath(self._link)
        if now in {self.home, self._passed_over}:
            return False
        return os.access(os.path.join(now, "bin", self._name), os.X_OK)

    def keep(self) -> None:
        """Stay with this engine: the one in use now can't be started after all."""
        self._passed_over = os.path.realpath(self._link)

    def _run(self, module: str) -> list[str]:
        return [os.path.join(self.home, "bin", self._name), "-I", "-c", _RUN, module, self._root]

    def _root_now(self) -> str:
        now = os.path.realpath(self._link)
        libraries = os.path.join(now, "lib")
        try:
            versions = sorted(os.listdir(libraries))
        except FileNotFoundError:
            return self._root
        roots = [os.path.join(libraries, version, "site-packages") for version in versions]
        installed = [r for r in roots if os.path.isdir(os.path.join(r, "gh_p2pcache/supervisor"))]
        return os.path.realpath(installed[0]) if installed else self._root
