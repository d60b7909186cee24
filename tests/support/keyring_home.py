"""A home whose keyring is a JSON file, or hangs: what `keyring` is told by its configuration."""

import json
from pathlib import Path

_BACKEND = """\
import json
import pathlib
import time

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

FILE = pathlib.Path({file!r})


class Chest(KeyringBackend):
    priority = 9

    def _all(self):
        if not FILE.exists():
            time.sleep(3600)
        return json.loads(FILE.read_text())

    def get_password(self, service, username):
        return self._all().get(service + " " + username)

    def set_password(self, service, username, password):
        FILE.write_text(json.dumps(self._all() | {{service + " " + username: password}}))

    def delete_password(self, service, username):
        kept = self._all()
        if kept.pop(service + " " + username, None) is None:
            raise PasswordDeleteError("not there")
        FILE.write_text(json.dumps(kept))
"""


class KeyringHome:
    """Everything below `root`; the keyring hangs while its file is away."""

    def __init__(self, root: Path) -> None:
        self.file = root / "chest.json"
        folder = root / "backend"
        folder.mkdir()
        (folder / "chest_backend.py").write_text(_BACKEND.format(file=str(self.file)))
        config = root / "config/python_keyring/keyringrc.cfg"
        config.parent.mkdir(parents=True)
        config.write_text(
            f"[backend]\ndefault-keyring=chest_backend.Chest\nkeyring-path={folder}\n"
        )
        self.env = {"XDG_CONFIG_HOME": str(root / "config"), "HOME": str(root)}
        self.mend()

    def mend(self) -> None:
        self.file.write_text("{}")

    def hang(self) -> None:
        self.file.unlink()

    @property
    def kept(self) -> dict[str, str]:
        """What lies in it, by service and name."""
        held: dict[str, str] = json.loads(self.file.read_text())
        return held
