"""dashboard: an address that is good once, printed or opened."""

import json
import os
import stat
import urllib.request
from pathlib import Path

from support.machine import Machine
from support.wait import until


def test_the_address_is_printed_and_leads_to_the_page(machine: Machine) -> None:
    said = machine.do("dashboard", "--no-browser")

    assert said.exit_code == 0
    (address,) = said.stdout.splitlines()
    assert address.startswith("http://127.0.0.1:")
    assert said.stderr == "good once, within 1 min\n"
    page, _, ticket = address.partition("#")
    with urllib.request.urlopen(page, timeout=20) as answer:
        assert b"gh-p2pcache" in answer.read()
    asked = urllib.request.Request(
        f"{page}api/session", json.dumps({"ticket": ticket}).encode(), method="POST"
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        session = json.load(answer)["session"]
    stats = urllib.request.Request(f"{page}api/stats", headers={"X-P2PCache-Session": session})
    with urllib.request.urlopen(stats, timeout=20) as answer:
        shown = json.load(answer)
    assert {"daemon": True} | shown == json.loads(machine.do("stats", "--json").stdout)


def test_each_address_is_another(machine: Machine) -> None:
    one, two = (json.loads(machine.do("dashboard", "--json").stdout)["url"] for _ in range(2))
    assert one.partition("#")[0] == two.partition("#")[0]
    assert one != two


def test_it_is_opened_in_the_browser(machine: Machine, tmp_path: Path) -> None:
    script, opened = tmp_path / "browser", tmp_path / "opened"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" >{opened}\n')
    script.chmod(stat.S_IRWXU)
    said = machine.run("dashboard", env={"BROWSER": f"{script} %s"})
    assert (said.returncode, said.stdout) == (0, "The dashboard is opened in the browser.\n")
    until(lambda: opened.exists() and opened.read_text().startswith("http://127.0.0.1:"))


def test_without_a_screen_the_address_is_printed(machine: Machine) -> None:
    assert not {"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"} & machine.env.keys()
    said = machine.run("dashboard")
    assert said.stdout.startswith("http://127.0.0.1:")
    assert os.linesep not in said.stdout.rstrip("\n")
