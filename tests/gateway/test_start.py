"""What a gateway that comes up has not imported yet: 300 ms to the first answer is the bar."""

import subprocess
import sys

from support.sim import ROOT

LATE = {
    "aiohttp", "graphql", "libp2p", "multiformats", "prometheus_client", "tomli", "tomllib", "trio",
}  # fmt: skip


def test_what_a_hit_does_not_need_is_imported_late() -> None:
    """aiohttp alone costs 120 ms, graphql-core 110, prometheus-client 64."""
    seen = subprocess.run(
        [sys.executable, "-c", "import gh_p2pcache.gateway.main, sys; print(*sys.modules)"],
        env={"PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {*seen.stdout.split()}.intersection(LATE)
