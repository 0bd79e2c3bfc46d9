"""Signed HTTP: one client over a blocking and an asynchronous side."""
