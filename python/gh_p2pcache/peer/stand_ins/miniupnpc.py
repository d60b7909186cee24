"""UPnP: named only."""


class UPnP:
    """Nothing of it."""
