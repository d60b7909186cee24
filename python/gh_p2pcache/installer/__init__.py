"""Sets the engine up and takes it back: what install.sh runs, before any package is there.

Standard library only.
"""
