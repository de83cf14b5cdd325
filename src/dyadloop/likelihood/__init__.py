"""The likelihood of a panel of dyads: exact and approximate filters, particles, random parameters and levels."""
