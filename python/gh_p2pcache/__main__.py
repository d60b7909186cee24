"""`python -m gh_p2pcache COMMAND …`: the same as `gh p2pcache COMMAND …`."""

from __future__ import annotations

from gh_p2pcache.cli.main import main

main()
