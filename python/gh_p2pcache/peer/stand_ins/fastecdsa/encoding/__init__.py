"""Encodings of keys: named only."""
