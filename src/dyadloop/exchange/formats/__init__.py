"""Readers of sources: one file per format, and one registry."""
