"""Values, keys and rows."""
