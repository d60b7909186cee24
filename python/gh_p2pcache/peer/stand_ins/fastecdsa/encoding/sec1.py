"""SEC 1: named only."""


class SEC1Encoder:
    """Nothing of it."""
