"""Stand-ins for packages that libp2p imports and that have no wheels for some or for all machines.

`packages.reach` puts this folder last on the path: a real package of the same name goes first.
What is used of them is here (varint, baseconv). What is only named by code that never runs, since
our identities are Ed25519 keys, our channels Noise and our ports not mapped by UPnP, is a class
without members: using one is an AttributeError or TypeError that the peer's guards see.
"""
