"""Models inside models: what a type checker knows of them, and must reject."""

from dataclasses import dataclass
from typing import Any, assert_type

import dynamix
from dynamix import Action, CharField, Condition, IntegerField, ListField, ModelField


class Geo(dynamix.NestedModel):
    """Fields in the plain style."""

    lat = dynamix.FloatField(required=True)


class Address(dynamix.TypedNestedModel):
    """Fields with annotations."""

    city: CharField[str] = CharField(required=True)
    zip: CharField[str | None] = CharField(default=None)
    visits: IntegerField[int] = IntegerField(default=0)
    geo: ModelField[Geo, Geo | None] = ModelField(Geo, default=None)


@dataclass
class Line:
    """A class of the user's own."""

    sku: str


class User(dynamix.Model):
    """The plain style."""

    id = CharField(hash_key=True)
    address = ModelField(Address)
    home = ModelField(Address, required=True)
    line = ModelField(Line)
    lines = ListField(of=Line)
    places = dynamix.DictField(of=Address, default=dict)
    either: ModelField[Geo | Line, Geo | Line | None] = ModelField(Geo, Line, tag="kind")


class Shop(dynamix.TypedModel):
    """The annotated style."""

    id: CharField[str] = CharField(hash_key=True)
    address: ModelField[Address, Address] = ModelField(Address, required=True)
    line: ModelField[Line, Line | None] = ModelField(Line, default=None)


# Values are of the class.
user = User(id="u")
assert_type(user.address, Address | None)
assert_type(user.home, Address)
assert_type(user.home.city, str)
assert_type(user.home.geo, Geo | None)
assert_type(user.line, Line | None)
assert_type(user.lines, list[Line] | None)
assert_type(user.places, dict[str, Address])
assert_type(user.either, Geo | Line | None)
user.home.city = "x"
user.home.city = 5  # rejected: assignment, reportAttributeAccessIssue
user.address = Geo(lat=1.0)  # rejected: assignment, reportAttributeAccessIssue

# The constructor of the annotated style is known, here as there.
Address(city="x", geo=Geo(lat=1.0))
Address(zip="1")  # rejected: call-arg, reportCallIssue
Address(city=5)  # rejected: arg-type, reportArgumentType
Shop(id="s", address=Address(city="x"))
Shop(id="s")  # rejected: call-arg, reportCallIssue
Shop(id="s", address=Line("x"))  # rejected: arg-type, reportArgumentType

# What is inside is typed where it is declared with fields, and is any path by brackets.
assert_type(User.address.city.eq("x"), Condition)
assert_type(Shop.address.geo.lat > 0.5, Condition)
assert_type(User.home["city"] == "x", Any)
assert_type(User.address.visits.add(1), Action)
user.set_field(User.address.city, "x").add_to_field(User.address.visits, 1)
User.address.city.eq(5)  # rejected: arg-type, reportArgumentType
User.query().where(Shop.address.city == 5)  # rejected: arg-type, reportArgumentType
_ = User.address.town  # rejected: attr-defined, reportAttributeAccessIssue
user.set_field(User.address.city, 5)  # rejected: misc, reportArgumentType

# Of a class of the user's own, what is inside is untyped.
assert_type(User.line.sku.eq("x"), Condition)
User.line["sku"].eq(5)

# The whole is a field as any other.
assert_type(User.address.exists(), Condition)
assert_type(User.line.eq(Line("x")), Condition)
user.set_field(User.address, Address(city="x"))
user.set_field(User.line, None)
User.line.eq("x")  # rejected: arg-type, reportArgumentType
print(User.get(User.address, User.line, id="u"), user.to_son(exclude=[User.address]))
