"""The peer process: libp2p, members of a team and what they tell each other."""
