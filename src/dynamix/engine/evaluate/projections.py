"""Projections: the parts of an item that a request asks for.

A projection is compiled to a tree of the wanted parts, so an item is walked once. Elements of a list keep their order
and move together; a map or list of which nothing is wanted is left out.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from dynamix.engine.evaluate.paths import child, contents
from dynamix.expressions.nodes import Path
from dynamix.wire import AttributeValue, Item

_Tree: TypeAlias = dict[Any, Any]
"""Part of a path to the tree of what is wanted below it; an empty tree wants all."""


def compile_projection(paths: Sequence[Path]) -> Callable[[Item], Item]:
    """The function that gives the parts of an item at the paths."""
    if all(len(path.parts) == 1 for path in paths):
        return _whole_attributes([str(path.parts[0]) for path in paths])
    tree: _Tree = {}
    for path in paths:
        level = tree
        for part in path.parts:
            level = level.setdefault(part, {})
    return lambda item: _map_parts(item, tree)


def _whole_attributes(names: list[str]) -> Callable[[Item], Item]:
    wanted = frozenset(names)

    def project(item: Item) -> Item:
        if len(item) < len(names):  # a request may name any number of attributes, for each of many small items
            return {name: value for name, value in item.items() if name in wanted}
        return {name: item[name] for name in names if name in item}

    return project


def _map_parts(held: dict[str, AttributeValue], tree: _Tree) -> dict[str, AttributeValue]:
    parts = {}
    for key in held if len(held) < len(tree) else tree:
        below = tree.get(key)
        part = None if below is None else _part(held.get(key), below)
        if part is not None:
            parts[key] = part
    return parts


def _part(value: AttributeValue | None, tree: _Tree) -> AttributeValue | None:
    """What is wanted of a value; None if there is nothing."""
    if value is None or not tree:
        return value
    first = next(iter(tree))
    held = contents(value, first)
    if held is None:
        return None
    if isinstance(first, int):
        indexes = [index for index in range(len(held)) if index in tree] if len(held) < len(tree) else sorted(tree)
        found = [_part(child(held, index), tree[index]) for index in indexes]
        elements = [part for part in found if part is not None]
        return {"L": elements} if elements else None
    parts = _map_parts(held, tree)
    return {"M": parts} if parts else None
