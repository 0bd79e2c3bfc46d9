"""Vectors: as 32-bit floats, as rows, in memory, and the nearest of them."""
