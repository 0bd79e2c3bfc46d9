"""Pending changes, folded into one update."""
