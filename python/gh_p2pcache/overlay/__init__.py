"""gh's configuration as the real gh should see it behind the cache."""
