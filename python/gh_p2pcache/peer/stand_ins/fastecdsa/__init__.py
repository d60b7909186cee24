"""ECDSA on P-256: named only."""
