"""Document paths: what stands at a path of an item.

A path is followed by its parts: a name leads into a map, an index into a list, and nothing leads into other values.
"""

from collections.abc import Callable
from typing import Any

from dynamix.expressions.nodes import Path
from dynamix.wire import AttributeValue, Item


def reader(path: Path) -> Callable[[Item], AttributeValue | None]:
    """The function that gives the value at the path, None where there is none."""
    name, *rest = path.parts
    if not rest:
        return lambda item: item.get(name)  # type: ignore[arg-type]

    def read(item: Item) -> AttributeValue | None:
        value = item.get(name)  # type: ignore[arg-type]
        for part in rest:
            if value is None:
                return None
            value = child(contents(value, part), part)
        return value

    return read


def contents(value: AttributeValue, part: str | int) -> Any:
    """The map or list that a part of a path leads into; None where the value is of another type."""
    return value.get("L" if isinstance(part, int) else "M")


def child(container: Any, part: str | int) -> AttributeValue | None:
    """What a map or list (or None) holds under a part of a path."""
    if container is None:
        return None
    found: AttributeValue | None = None
    if not isinstance(part, int):
        found = container.get(part)
    elif part < len(container):
        found = container[part]
    return found
