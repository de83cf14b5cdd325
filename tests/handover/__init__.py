"""Hand-overs to other programs."""
