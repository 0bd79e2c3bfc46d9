"""DynamoDB's semantics on SQLite, in the process."""

from dynamix.engine.broken import Broken
from dynamix.engine.engine import Engine

__all__ = ["Broken", "Engine"]
