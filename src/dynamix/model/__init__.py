"""Models: a class is a table, an instance an item."""

from __future__ import annotations

from dynamix.model.declaration import Model

__all__ = ["Model"]
