"""Field classes of the user's own: their conversions and checks hold everywhere, on every place."""

from decimal import Decimal
from typing import Any

import pytest

import dynamix
from places import Place


class MoneyField(dynamix.Field[Decimal, Any]):
    """An amount, stored as a whole number of cents."""

    key_type = "N"

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        if value * 100 % 1:
            raise ValueError("it has a part of a cent")
        return {"N": str(int(value * 100))}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return Decimal(wire["N"]) / 100


class LoudField(dynamix.CharField[Any]):
    """Text that is stored in capitals and read in small letters."""

    def to_wire(self, value: str) -> dict[str, Any]:
        return super().to_wire(value.upper())

    def from_wire(self, wire: dict[str, Any]) -> str:
        return super().from_wire(wire).lower()


class EvenField(dynamix.IntegerField[Any]):
    """An even number."""

    def check(self, value: int) -> None:
        super().check(value)
        if value % 2:
            raise ValueError("it is odd")


class SortedField(dynamix.ListField[Any]):
    """A list that is stored in order."""

    def to_wire(self, value: list[Any]) -> dict[str, Any]:
        return super().to_wire(sorted(value))


class Order(dynamix.Model):
    """One field of each class, and more of the first: a key, one with a default, one that is required."""

    total = MoneyField(hash_key=True)
    name = LoudField(range_key=True)
    count = EvenField()
    parts = SortedField()
    shipping = MoneyField(default=Decimal("4.90"))
    tax = MoneyField(required=True)
    rebate = MoneyField()


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Order)


def test_own_conversions_hold_in_both_directions() -> None:
    """What a field class makes of its values is stored, and read back, by whatever way the item goes."""
    values: dict[str, Any] = {"total": Decimal("12.50"), "name": "ada", "count": 2, "parts": [3, 1], "tax": Decimal(2)}
    Order.create(**values)
    key = {"total": Decimal("12.5"), "name": "ADA"}
    wanted = {**values, "parts": [1, 3], "shipping": Decimal("4.90"), "rebate": None}
    (queried,) = Order.query().where(Order.total == Decimal("12.50"), Order.name == "Ada")
    for found in (Order.get(**key), queried, *Order.batch_get(key), *Order.scan().where(Order.tax < Decimal(3))):
        assert found is not None
        assert {name: getattr(found, name) for name in wanted} == wanted
    queried.set_field(Order.rebate, Decimal("0.05"))
    queried.set_field(Order.parts, [9, 8])
    queried.commit_changes()
    assert (queried.rebate, queried.parts) == (Decimal("0.05"), [8, 9])
    assert Order.get(**key) == queried


@pytest.mark.parametrize(
    ("wrong", "reason"), [({"count": 3}, "it is odd"), ({"tax": Decimal("0.001")}, "it has a part of a cent")]
)
def test_own_checks_hold(wrong: dict[str, Any], reason: str) -> None:
    """What a field class refuses is refused before anything is sent, with its reason."""
    with pytest.raises(dynamix.FieldValidationException, match=reason):
        Order.create(**{"total": Decimal(1), "name": "x", "tax": Decimal(0), **wrong})
    assert list(Order.scan()) == []
