"""HTTP in: the sockets that gh talks to."""
