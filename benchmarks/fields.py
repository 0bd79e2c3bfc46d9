"""Prints what a value of each class of field costs to read and to write, beside one of a CharField.

    python benchmarks/fields.py

For each class a model of a key and eight such fields; times of the processor, in nanoseconds a value, the least of many
rounds. What is read later is read. The items are parsed from and made into what DynamoDB has, without any transport.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

import dynamix
from dynamix.model.running import schema_of

_FIELDS, _ITEMS, _ROUNDS = 8, 200, 40


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(dynamix.NestedModel):
    city = dynamix.CharField()
    visits = dynamix.IntegerField()


@dataclass
class Line:
    sku: str
    count: int


class Point(msgspec.Struct):
    x: int
    y: int


KINDS: dict[str, tuple[Callable[[], Any], Any]] = {
    "CharField": (dynamix.CharField, "some text"),
    "IntegerField": (dynamix.IntegerField, 12345),
    "FloatField": (dynamix.FloatField, 1.25),
    "DecimalField": (dynamix.DecimalField, Decimal("1.25")),
    "DecimalField(places=2)": (lambda: dynamix.DecimalField(places=2), Decimal("1.25")),
    "BooleanField": (dynamix.BooleanField, True),
    "BinaryField": (dynamix.BinaryField, b"some bytes"),
    "UUIDField": (dynamix.UUIDField, UUID(int=5)),
    "EnumField": (lambda: dynamix.EnumField(Colour), Colour.RED),
    "LiteralField": (lambda: dynamix.LiteralField("a", "b"), "a"),
    "DateTimeField": (dynamix.DateTimeField, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "DateField": (dynamix.DateField, date(2026, 1, 2)),
    "TimeField": (dynamix.TimeField, clock(3, 4, 5)),
    "TimeDeltaField": (dynamix.TimeDeltaField, timedelta(days=1)),
    "SetField, of 3 str": (dynamix.SetField, {"a", "b", "c"}),
    "SetField(of=str), of 3": (lambda: dynamix.SetField(of=str), {"a", "b", "c"}),
    "ListField, of 3 int": (dynamix.ListField, [1, 2, 3]),
    "ListField(of=int), of 3": (lambda: dynamix.ListField(of=int), [1, 2, 3]),
    "DictField, a str and an int": (dynamix.DictField, {"city": "Ulm", "visits": 1}),
    "JSONField, a str and an int": (dynamix.JSONField, {"city": "Ulm", "visits": 1}),
    "ModelField, NestedModel, a str and an int": (
        lambda: dynamix.ModelField(Address),
        Address(city="Ulm", visits=1),
    ),
    "ModelField, dataclass, a str and an int": (lambda: dynamix.ModelField(Line), Line("tea", 1)),
    "ModelField, Struct, two int": (lambda: dynamix.ModelField(Point), Point(1, 2)),
    "ListField(of=Line), of 3": (lambda: dynamix.ListField(of=Line), [Line("tea", 1)] * 3),
    "ModelField(lazy=False), NestedModel": (
        lambda: dynamix.ModelField(Address, lazy=False),
        Address(city="Ulm", visits=1),
    ),
}


def least(call: Callable[[], object]) -> float:
    """Nanoseconds a value."""
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.process_time_ns()
        call()
        rounds.append(time.process_time_ns() - begun)
    return min(rounds) / (_FIELDS * _ITEMS)


def measured(make: Callable[[], Any], value: Any) -> tuple[float, float]:
    """What reading and writing such a value takes beside a model of the key alone."""
    names = [f"f{number}" for number in range(_FIELDS)]
    costs = []
    for used in ([], names):
        body = {"key": dynamix.CharField(hash_key=True), **{name: make() for name in used}}
        model = type("Kind", (dynamix.Model,), {"__module__": __name__, **body})
        codec = schema_of(model).codec
        whole = {"key": "k", **dict.fromkeys(used, value)}
        item = codec.encode_item(whole)
        page = msgspec.json.encode({"Items": [item] * _ITEMS, "ScannedCount": _ITEMS})
        reader = codec.reader("Kind")

        def read(reader: Any = reader, page: bytes = page, used: list[str] = used) -> None:
            for found in reader.page(page).items:
                for name in used:
                    getattr(found, name)

        def write(codec: Any = codec, whole: dict[str, Any] = whole) -> None:
            for _ in range(_ITEMS):
                codec.encode_item(whole)

        assert [getattr(found, name) for found in reader.page(page).items for name in used] == [value] * len(
            used
        ) * _ITEMS
        costs.append((least(read), least(write)))
    (read_key, write_key), (read_all, write_all) = costs
    return read_all - read_key, write_all - write_key


def main() -> None:
    base = measured(*KINDS["CharField"])
    print(f"{'':44}{'read':>10}{'':8}{'write':>10}")
    for name, (make, value) in KINDS.items():
        read, write = measured(make, value)
        print(f"{name:44}{read:7.0f} ns{read / base[0]:6.1f} x{write:8.0f} ns{write / base[1]:6.1f} x")


if __name__ == "__main__":
    main()
