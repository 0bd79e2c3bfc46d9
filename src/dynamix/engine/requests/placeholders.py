"""ExpressionAttributeNames and ExpressionAttributeValues, checked before any expression is read."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from dynamix.codec.sizes import value_size
from dynamix.engine.data.values import check_value
from dynamix.engine.faults import Fault, invalid
from dynamix.limits import PLACEHOLDER_BYTES, SUBSTITUTION_BYTES
from dynamix.wire import AttributeValue

NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
_NAME_BYTES = 65535
_CACHED_KEYS = 4096
_PATTERNS = {NAMES: re.compile(r"#[A-Za-z0-9_]+"), VALUES: re.compile(r":[A-Za-z0-9_]+")}


def check_used(present: Collection[str], texts: list[str], users: tuple[str, ...]) -> None:
    """Refuse names or values without expressions that may use them.

    `present` are the request's parameters, `texts` those that hold expressions, `users` those that may use values.
    """
    if NAMES in present and not texts:
        raise invalid(f"{NAMES} can only be specified when using expressions")
    if VALUES in present and not any(name in texts for name in users):
        absent = f"{' and '.join(users)} {'is' if len(users) == 1 else 'are'} null"
        raise invalid(f"{VALUES} can only be specified when using expressions: {absent}")


def read_names(request: dict[str, Any]) -> dict[str, str]:
    """The names of a request, {} if there are none. Raises Fault."""
    names: dict[str, str] | None = request.get(NAMES)
    if names is None:
        return {}
    if not names:
        raise invalid(f"{NAMES} must not be empty")
    for key in names:
        _check_key(NAMES, key)
    for key, name in names.items():
        if not name:
            raise _bad_name("Empty attribute name", key)
        if len(name) * 4 > _NAME_BYTES and len(name.encode()) > _NAME_BYTES:
            raise _bad_name("Attribute name is too large, must be less than 65536 bytes", key)
    if sum(len(name.encode()) for name in names.values()) > SUBSTITUTION_BYTES:
        raise invalid(f"{NAMES} exceeds max size")
    return names


def read_values(request: dict[str, Any]) -> dict[str, AttributeValue]:
    """The values of a request, canonical, {} if there are none. Raises Fault."""
    values: dict[str, AttributeValue] | None = request.get(VALUES)
    if values is None:
        return {}
    if not values:
        raise invalid(f"{VALUES} must not be empty")
    for key in values:
        _check_key(VALUES, key)
    return canonical(values)


def canonical(values: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
    """Values, checked and canonical. Raises Fault."""
    checked = {
        key: value if "S" in value and len(value) == 1 else _check_value(key, value) for key, value in values.items()
    }
    if sum(map(value_size, checked.values())) > SUBSTITUTION_BYTES:
        raise invalid(f"{VALUES} exceeds max size")
    return checked


def unused(parameter: str, keys: set[str]) -> Fault:
    """The refusal of placeholders that no expression uses."""
    return invalid(f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(sorted(keys))}}}")


@lru_cache(_CACHED_KEYS)
def _check_key(parameter: str, key: str) -> None:
    problem = None
    size = len(key.encode())
    if not key:
        problem = "The expression attribute map contains an empty key;"
    elif size > PLACEHOLDER_BYTES:
        problem = f"The expression attribute map contains a key that is too long; size of key: {size}"
    elif not _PATTERNS[parameter].fullmatch(key):
        problem = f'Syntax error; key: "{key}"'
    if problem:
        raise invalid(f"{parameter} contains invalid key: {problem}")


def _bad_name(problem: str, key: str) -> Fault:
    return invalid(f"{NAMES} contains invalid value: {problem} for key {key}")


def _check_value(key: str, value: AttributeValue) -> AttributeValue:
    try:
        return check_value(value)
    except Fault as fault:
        raise invalid(f"{VALUES} contains invalid value: {fault.message} for key {key}") from fault
