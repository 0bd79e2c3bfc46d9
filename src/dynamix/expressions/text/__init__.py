"""Expressions as text, and back to nodes."""
