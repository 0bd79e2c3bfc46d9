"""Items in the form in which programs without a mapper have them: DynamoDB's JSON, and Python values as those of
boto3's resource.

    DynamoDB's JSON     {"title": {"S": "Emma"}, "pages": {"N": "12"}}
    Python values       {"title": "Emma", "pages": Decimal("12")}

The two are told apart by whoever calls; nothing here guesses.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from dynamix.codec.values import UnstorableError, encode
from dynamix.limits import NESTING_LEVELS
from dynamix.wire import AttributeValue, Item

_BYTES = (bytes, bytearray, memoryview)


def checked_item(item: object) -> Item:
    """The same item with binary values in base64, as JSON has them; boto3's client has them as bytes.

    Raises UnstorableError for what is not in DynamoDB's JSON form.
    """
    return {name: _checked(value, name, 0) for name, value in _mapping(item, "an item").items()}


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return value
    raise UnstorableError(f"{what} is a dict with str keys, not {value!r}")


def _checked(value: object, path: str, depth: int) -> AttributeValue:
    if not isinstance(value, Mapping) or len(value) != 1:
        raise UnstorableError(f"{path}: {value!r} is not in DynamoDB's JSON form, such as {{'S': 'text'}}")
    ((tag, content),) = value.items()
    try:
        check = _CHECKS[tag]
    except (KeyError, TypeError):
        raise UnstorableError(f"{path}: {tag!r} is no type of DynamoDB; there are {', '.join(_CHECKS)}") from None
    return {tag: check(content, path, depth)}


def _text(content: object, path: str, depth: int) -> str:
    if isinstance(content, str):
        return content
    raise UnstorableError(f"{path}: {content!r} is not a str")


def _number(content: object, path: str, depth: int) -> str:
    text = _text(content, path, depth)
    try:
        if Decimal(text).is_finite():
            return text
    except ArithmeticError:
        pass
    raise UnstorableError(f"{path}: {content!r} is not the text of a number")


def _binary(content: object, path: str, depth: int) -> str:
    if isinstance(content, _BYTES):
        return b64encode(content).decode()
    text = _text(content, path, depth)
    try:
        return b64encode(b64decode(text, validate=True)).decode()  # one text for the same bytes
    except (Base64Error, ValueError):
        raise UnstorableError(f"{path}: {content!r} is neither bytes nor base64") from None


def _truth(content: object, path: str, depth: int) -> bool:
    if isinstance(content, bool):
        return content
    raise UnstorableError(f"{path}: {content!r} is not a bool")


def _null(content: object, path: str, depth: int) -> bool:
    if content is True:
        return True
    raise UnstorableError(f"{path}: NULL has the value True, not {content!r}")


def _map(content: object, path: str, depth: int) -> Item:
    _check_depth(path, depth)
    parts = _mapping(content, f"{path}: a map").items()
    return {name: _checked(value, f"{path}.{name}", depth + 1) for name, value in parts}


def _list(content: object, path: str, depth: int) -> list[AttributeValue]:
    _check_depth(path, depth)
    if isinstance(content, list):
        return [_checked(value, f"{path}[{number}]", depth + 1) for number, value in enumerate(content)]
    raise UnstorableError(f"{path}: {content!r} is not a list")


def _check_depth(path: str, depth: int) -> None:
    if depth >= NESTING_LEVELS - 1:
        raise UnstorableError(f"{path[:100]}...: nested too deep; an item has at most {NESTING_LEVELS} levels")


def _set_of(check: Callable[[object, str, int], str]) -> Callable[[object, str, int], list[str]]:
    def checked(content: object, path: str, depth: int) -> list[str]:
        if isinstance(content, list | set | frozenset) and content:
            return sorted(check(member, path, depth) for member in content)
        raise UnstorableError(f"{path}: {content!r} is not a list of a set's members")

    return checked


_CHECKS: dict[str, Callable[[object, str, int], Any]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _truth,
    "NULL": _null,
    "M": _map,
    "L": _list,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
}


def python_values(item: Item) -> dict[str, Any]:
    """An item's values as those of boto3's resource: numbers are Decimal, binary is bytes, NULL is None."""
    return {name: _python(value) for name, value in item.items()}


def _python(value: AttributeValue) -> Any:
    ((tag, content),) = value.items()
    match tag:
        case "N":
            return Decimal(content)
        case "B":
            return b64decode(content)
        case "NULL":
            return None
        case "M":
            return python_values(content)
        case "L":
            return [_python(element) for element in content]
        case "SS":
            return set(content)
        case "NS":
            return {Decimal(number) for number in content}
        case "BS":
            return {b64decode(member) for member in content}
    return content


def from_python(values: object) -> Item:
    """An item of such values. A float is taken where it prints back exactly. Raises UnstorableError."""
    item = {}
    for name, value in _mapping(values, "an item").items():
        try:
            item[name] = encode(_unwrapped(value, 0))
        except UnstorableError as error:
            raise UnstorableError(f"{name}: {error}") from error
    return item


def _unwrapped(value: Any, depth: int) -> Any:
    """A value with bytes in place of boto3's Binary objects; what is nested too deep is left to be refused."""
    if depth == NESTING_LEVELS:
        return value
    match value:
        case dict():
            return {name: _unwrapped(element, depth + 1) for name, element in value.items()}
        case list() | tuple():
            return [_unwrapped(element, depth + 1) for element in value]
        case set() | frozenset():
            return {_unwrapped(member, depth + 1) for member in value}
    return value.value if type(value).__module__ == "boto3.dynamodb.types" else value
