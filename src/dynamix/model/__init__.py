"""Models: a class is a table, an instance an item."""

from dynamix.model.declaration import Model

__all__ = ["Model"]
