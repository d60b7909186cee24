"""HTTP out: the way to GitHub."""
