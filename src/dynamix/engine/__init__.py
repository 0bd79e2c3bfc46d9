"""DynamoDB's semantics on SQLite, in the process."""

from dynamix.engine.engine import Engine

__all__ = ["Engine"]
