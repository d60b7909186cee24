"""Keys on secp256k1: named only."""


class PrivateKey:
    """Nothing of it."""


class PublicKey:
    """Nothing of it."""
