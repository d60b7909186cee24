"""`python -m gh_p2pcache.gateway`: for the supervisor alone."""

import sys

from gh_p2pcache.gateway.main import main

sys.exit(main())
