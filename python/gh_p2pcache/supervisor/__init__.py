"""Owns the listening sockets and the lock; starts and watches the gateway. Stdlib only."""
