"""What changes items, whatever asks for it."""
