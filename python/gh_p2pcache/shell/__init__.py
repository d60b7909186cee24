"""gh behind the cache in interactive shells: what a profile reads, and the line that makes it."""
