"""Curves: named only."""


class Curve:
    """Nothing of it."""


P256 = Curve()
