"""Expressions at work: compiled nodes on items, ranges of keys, pages."""
