"""Folders that stand for buckets: where tables are exported to and imported from."""
