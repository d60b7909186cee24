"""Where records are kept: one file each, locks, eviction."""
