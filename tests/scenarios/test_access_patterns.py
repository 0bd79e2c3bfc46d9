"""Named access patterns: what a model lists of them, and which cannot be."""

import datetime
import enum
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

import pytest

import dynamix
from dynamix import CharField, DateField, DiscriminatorField, EnumField, IntegerField, KeyField, access_pattern
from dynamix.query import Query
from dynamix.scan import Scan
from places import Place


class State(enum.Enum):
    """Of an order."""

    OPEN = "open"
    SENT = "sent"


class Store(dynamix.Model):
    """The base of two models."""

    __table_name__ = "store"
    __secondary_indexes__: ClassVar = {"by_state": {"hash_key": "state_key", "range_key": "sk", "projections": "ALL"}}

    kind = DiscriminatorField()
    pk = CharField(hash_key=True)
    sk = CharField(range_key=True)
    state_key = CharField()

    @classmethod
    @access_pattern(pk="CUSTOMER#1")
    def partition(cls, pk: str, /) -> Query[Self]:
        """All items of a partition."""
        return cls.query(pk=pk)


class Buyer(Store):
    """Without patterns of its own."""

    __discriminator__ = "buyer"
    buyer_id = CharField(required=True)
    pk = KeyField("BUYER#{buyer_id}", hash_key=True)
    sk = KeyField("PROFILE", range_key=True)


class Sale(Store):
    """Patterns with arguments of several types."""

    __discriminator__ = "sale"
    buyer_id = CharField(required=True)
    day = DateField(required=True)
    number = IntegerField(required=True)
    state = EnumField(State, default=State.OPEN)
    pk = KeyField("BUYER#{buyer_id}", hash_key=True)
    sk = KeyField("SALE#{day:%Y-%m-%d}#{number:04d}", range_key=True)
    state_key = KeyField("STATE#{state}")

    @classmethod
    @access_pattern
    def of_buyer(cls, buyer_id: str, since: datetime.date, order: Literal["up", "down"] = "up") -> Query[Self]:
        """What a buyer bought, from a day on.

        More of it.
        """
        return cls.query(buyer_id=buyer_id).where(cls.day >= since).order(asc=order == "up")

    @classmethod
    @access_pattern
    def in_state(cls, state: "Annotated[State | None, 'of the order']") -> Query[Self]:
        return cls.query(state=state)

    @classmethod
    @access_pattern
    def everything(cls) -> Scan[Self]:
        """For the accounts."""
        return cls.scan()


def test_patterns_are_listed_with_what_they_read(place: Place) -> None:
    """A model lists its own and inherited patterns with operation, index, key condition and units, and sends nothing; a
    base lists those of its models too; the methods themselves work as before."""
    patterns = {pattern.name: pattern for pattern in Sale.access_patterns()}
    assert list(patterns) == ["partition", "of_buyer", "in_state", "everything"]
    bought = patterns["of_buyer"]
    assert (bought.operation, bought.index, bought.units) == ("Query", None, None)
    assert bought.parameters == ("buyer_id", "since", "order")
    assert bought.description == "What a buyer bought, from a day on."
    assert bought.key_condition == (
        "Sale.pk = 'BUYER#<buyer_id>' AND Sale.sk BETWEEN 'SALE#2026-01-01' AND 'SALE#\\U0010ffff'"
    )
    assert patterns["in_state"].index == "by_state"
    assert patterns["in_state"].key_condition == "Sale.state_key = 'STATE#open' AND begins_with(Sale.sk, 'SALE#')"
    assert patterns["everything"].operation == "Scan"
    assert str(bought).startswith(
        "Sale.of_buyer(buyer_id, since, order)\n  What a buyer bought, from a day on.\n  Query of"
    )
    assert [(pattern.model, pattern.name) for pattern in Store.access_patterns()] == [
        ("Store", "partition"),
        *(("Sale", name) for name in ("of_buyer", "in_state", "everything")),
    ]
    dynamix.create_table(Store)
    sale = Sale.create(buyer_id="1", day=datetime.date(2026, 3, 1), number=1)
    assert Sale.of_buyer("1", datetime.date(2026, 1, 1)).all() == Sale.in_state(State.OPEN).all() == [sale]
    table = place.call("DescribeTable", TableName=place.table_name(Store))["Table"]
    units = {pattern.name: pattern.units for pattern in Sale.access_patterns(table)}
    assert units["of_buyer"] == (0.5, 0.5)


def make(function: Callable[..., Any]) -> type[dynamix.Model]:
    """A model with this pattern."""
    return type("Made", (dynamix.Model,), {"key": CharField(hash_key=True), "pattern": classmethod(function)})


def wrong_result(cls: Any) -> Any:
    """No query."""
    return 3


def wrong_argument(cls: Any, names: list[str]) -> Any:
    """Of which no example is known."""


def wrong_query(cls: Any, key: int) -> Any:
    """Refused with the example."""
    return cls.query(key=key)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (wrong_result, "gives 3, which is no query"),
        (wrong_argument, "no example of 'names' is known"),
        (wrong_query, r"with the examples {'key': 1}: Made\.key cannot hold 1"),
    ],
)
def test_patterns_of_which_nothing_can_be_told(place: Place, function: Any, message: str) -> None:
    """What gives no query, or takes what no example is known of or fits, is refused by name."""
    with pytest.raises(dynamix.ModelDefinitionError, match=message):
        make(access_pattern(function)).access_patterns()


def test_what_cannot_be_marked() -> None:
    """A class method, what is no function, and examples of no argument are refused where they are marked."""
    with pytest.raises(dynamix.ModelDefinitionError, match="below @classmethod"):
        access_pattern(classmethod(wrong_result))  # type: ignore[type-var]
    with pytest.raises(dynamix.WrongTypeError):
        access_pattern(3)  # type: ignore[type-var]
    with pytest.raises(dynamix.UnknownNameError, match="no argument 'other'"):
        access_pattern(other=1)(wrong_result)
