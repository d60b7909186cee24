"""The one request flow: store, origin, stale; one fill for many callers."""
