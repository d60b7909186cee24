"""Making keys: named only."""
