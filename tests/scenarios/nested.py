"""Models inside models, of each kind of class."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pydantic

import dynamix


class Level(Enum):
    """Strings with names."""

    LOW = "l"
    HIGH = "h"


class Geo(dynamix.NestedModel):
    """A place on the earth."""

    lat = dynamix.FloatField(required=True, minimum=-90, maximum=90)
    lng = dynamix.FloatField(required=True)


class Address(dynamix.NestedModel):
    """Fields of many kinds, one under another name, one with a name that fields have themselves."""

    city = dynamix.CharField(required=True, max_length=20, transform=str.strip)
    code = dynamix.CharField(name="postal.code")
    name = dynamix.CharField()
    since = dynamix.DateTimeField(utc=True)
    visits = dynamix.IntegerField(default=5)
    tags = dynamix.SetField(of=str, default=set)
    notes = dynamix.ListField(default=[])
    geo = dynamix.ModelField(Geo)
    secret = dynamix.CharField(hidden=True)


@dataclass
class Part:
    """A dataclass inside another."""

    sku: str
    count: int = 1


@dataclass
class Line:
    """A dataclass."""

    part: Part
    level: Level = Level.LOW
    price: Annotated[Decimal, dynamix.DecimalField(places=2)] | None = None
    days: list[date] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    label: str | None = "none"
    extra: dict[str, Any] = field(default_factory=dict)
    length: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.level is Level.HIGH and self.part.count < 1:
            raise ValueError("a high level has parts")
        self.length = len(self.days)


class Point(msgspec.Struct):
    """A Struct."""

    x: int
    y: int | None
    words: dict[str, list[str | None]] = {}


class Shape(pydantic.BaseModel):
    """A pydantic model, one of whose attributes has another name for its constructor."""

    kind: Literal["square", "round"]
    size: float = pydantic.Field(gt=0, alias="theSize", default=1.0)
    corners: list[Part] = []


class Card(dynamix.NestedModel):
    """One of several classes, which has its tag among its fields."""

    kind = dynamix.LiteralField("card", default="card")
    number = dynamix.CharField(required=True)


@dataclass
class Bank:
    """One of several classes, of which the tag is not an attribute."""

    __tag__ = "bank"

    number: str
    country: str = "DE"


class User(dynamix.Model):
    """One field of each kind."""

    id = dynamix.CharField(hash_key=True)
    address = dynamix.ModelField(Address)
    line = dynamix.ModelField(Line)
    point = dynamix.ModelField(Point)
    shape = dynamix.ModelField(Shape)
    pays: dynamix.ModelField[Card | Bank, Card | Bank | None] = dynamix.ModelField(Card, Bank, tag="kind")
    lines = dynamix.ListField(of=Line)
    homes = dynamix.DictField(of=Address)
    ways = dynamix.ListField(of=dynamix.ModelField(Card, Bank, tag="kind"))
    count = dynamix.IntegerField()


def values() -> dict[str, Any]:
    """Values of all fields, which nobody else has."""
    return {
        "address": Address(
            city=" Ulm ", code="89073", name="home", since=datetime(2026, 1, 2, tzinfo=UTC), geo=Geo(lat=48.4, lng=10.5)
        ),
        "line": Line(
            Part("a", 2), Level.HIGH, Decimal("1.50"), [date(2026, 1, 2)], {"m"}, None, {"k": [1, {"z": b"x"}]}
        ),
        "point": Point(1, None, {"a": ["b", None]}),
        "shape": Shape(kind="round", theSize=2.5, corners=[Part("p", 2)]),
        "pays": Bank("5"),
        "lines": [Line(Part("a")), Line(Part("b"), marks={"m"})],
        "homes": {"first": Address(city="Bonn", secret="s")},
        "ways": [Card(number="1"), Bank("2", "FR")],
    }


STORED: dict[str, Any] = {
    "id": {"S": "u"},
    "address": {
        "M": {
            "city": {"S": "Ulm"},
            "postal.code": {"S": "89073"},
            "name": {"S": "home"},
            "since": {"S": "2026-01-02T00:00:00+00:00"},
            "visits": {"N": "5"},
            "notes": {"L": []},
            "geo": {"M": {"lat": {"N": "48.4"}, "lng": {"N": "10.5"}}},
        }
    },
    "line": {
        "M": {
            "part": {"M": {"sku": {"S": "a"}, "count": {"N": "2"}}},
            "level": {"S": "h"},
            "price": {"N": "1.5"},
            "days": {"L": [{"S": "2026-01-02"}]},
            "marks": {"SS": ["m"]},
            "label": {"NULL": True},
            "extra": {"M": {"k": {"L": [{"N": "1"}, {"M": {"z": {"B": "eA=="}}}]}}},
        }
    },
    "point": {"M": {"x": {"N": "1"}, "words": {"M": {"a": {"L": [{"S": "b"}, {"NULL": True}]}}}}},
    "shape": {
        "M": {
            "kind": {"S": "round"},
            "size": {"N": "2.5"},
            "corners": {"L": [{"M": {"sku": {"S": "p"}, "count": {"N": "2"}}}]},
        }
    },
    "pays": {"M": {"kind": {"S": "bank"}, "number": {"S": "5"}, "country": {"S": "DE"}}},
    "homes": {
        "M": {
            "first": {
                "M": {"city": {"S": "Bonn"}, "visits": {"N": "5"}, "notes": {"L": []}, "secret": {"S": "s"}},
            }
        }
    },
    "ways": {
        "L": [
            {"M": {"kind": {"S": "card"}, "number": {"S": "1"}}},
            {"M": {"kind": {"S": "bank"}, "number": {"S": "2"}, "country": {"S": "FR"}}},
        ]
    },
}
