"""Writers for other programs: one file per kind, and one registry."""
