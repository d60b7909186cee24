"""`python -m gh_p2pcache.peer`: for the supervisor alone."""

import sys

from gh_p2pcache.peer.main import main

sys.exit(main())
