"""An encrypted cache behind gh; see docs/how-it-works.md for the flow and the layout."""

__version__ = "0.1.0"
