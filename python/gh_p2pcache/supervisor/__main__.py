"""`python -I -S …/gh_p2pcache/supervisor/__main__.py COMMAND …`; see `commands`."""

from __future__ import annotations

import os
import sys

# Under -I -S nothing but the standard library is on the path. The real path: the link `engine`
# may lead to another engine while this process still imports.
sys.path.append(os.path.realpath(__file__).rsplit("/gh_p2pcache/", 1)[0])

from gh_p2pcache.supervisor.commands import main

sys.exit(main(sys.argv[1:]))
