"""Figures, tables and the report: the only room that draws. Import its modules by name; only some need JAX."""
