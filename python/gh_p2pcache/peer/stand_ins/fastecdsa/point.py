"""Points on a curve: named only."""


class Point:
    """Nothing of it."""
