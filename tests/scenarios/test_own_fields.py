"""Field classes of the user's own: their conversions and checks hold everywhere, on every place."""

import json
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest

import dynamix
from dynamix.fields import Form, NumberDraft, Text
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


class Weird(Exception):  # noqa: N818 - an error of a program's own
    """What a conversion may raise."""


class ExactField(dynamix.FloatField[Any]):
    """A Decimal, derived from FloatField, whose changes it keeps."""

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        return {"N": f"{value:f}"}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return Decimal(wire["N"])


class CentsField(MoneyField):
    """An amount that can be added to, and may be a key."""

    draft = NumberDraft


class TextCountField(dynamix.Field[int, Any]):
    """A number stored as text, to which nothing can be added."""

    draft = NumberDraft

    def to_wire(self, value: int) -> dict[str, Any]:
        return {"S": str(value)}

    def from_wire(self, wire: dict[str, Any]) -> int:
        return int(wire["S"])


class UUIDField(dynamix.Field[UUID, Any]):
    """A UUID, with a row in the compiled codec."""

    form = Form(Text, "UUID(v.S)", "type(v) is UUID", '{"S": str(v)}', {"UUID": UUID}, frozen=True)
    key_type = "S"

    def to_wire(self, value: UUID) -> dict[str, Any]:
        if not isinstance(value, UUID):
            raise Weird("no UUID")
        return {"S": str(value)}

    def from_wire(self, wire: dict[str, Any]) -> UUID:
        return UUID(wire["S"])


class OtherUUIDField(dynamix.Field[Any, Any]):
    """Another class whose row uses the same name for something else."""

    form = Form(Text, "UUID(v.S)", "type(v) is str", '{"S": UUID(v)}', {"UUID": str.upper}, frozen=True)

    def to_wire(self, value: str) -> dict[str, Any]:
        return {"S": value.upper()}

    def from_wire(self, wire: dict[str, Any]) -> str:
        return str(wire["S"]).upper()


class ShortField(dynamix.CharField[Any]):
    """A row of its own, and a check."""

    form = Form(Text, "v.S", "type(v) is str", '{"S": v}', exact=True, frozen=True)

    def check(self, value: str) -> None:
        super().check(value)
        if len(value) > 3:
            raise ValueError("it is long")


class LaterField(dynamix.Field[Any, Any]):
    """JSON in text, read when somebody asks for it."""

    form = Form(lazy=True)

    def to_wire(self, value: Any) -> dict[str, Any]:
        return {"S": json.dumps(value)}

    def from_wire(self, wire: dict[str, Any]) -> Any:
        return json.loads(wire["S"])


class KeyedField(LaterField):
    """The same as a key."""

    key_type = "S"


class Vector(dynamix.ListField[Any]):
    """A list of numbers, stored as tenths."""

    def to_wire(self, value: list[float]) -> dict[str, Any]:
        return super().to_wire([round(element * 10) for element in value])

    def from_wire(self, wire: dict[str, Any]) -> list[float]:
        return [element / 10 for element in super().from_wire(wire)]


class Tags(dynamix.SetField[Any]):
    """A set of texts in small letters."""

    def to_wire(self, value: set[str]) -> dict[str, Any]:
        return super().to_wire({element.lower() for element in value})


class LooseTags(dynamix.SetField[Any]):
    """A set that is stored in any order."""

    def to_wire(self, value: set[int]) -> dict[str, Any]:
        return {"NS": [str(number) for number in value]}


class Account(dynamix.Model):
    """One field of each."""

    owner = UUIDField(hash_key=True)
    balance = CentsField(range_key=True)
    exact = ExactField()
    cents = CentsField()
    count = TextCountField()
    other = OtherUUIDField()
    later = LaterField(default={"a": []})
    name = LoudField()
    vector = Vector()
    tags = Tags()
    loose = LooseTags()
    friend = UUIDField()
    short = ShortField()
    since = dynamix.DateTimeField()


ADA = UUID(int=5)


@pytest.fixture
def account() -> Account:
    """An account that is stored."""
    dynamix.create_table(Account)
    return Account.create(
        owner=ADA, balance=Decimal("2.50"), exact=Decimal("0.01"), cents=Decimal(1), count=3, other="ab",
        name="ada", vector=[0.1, 0.2], tags={"A", "b"}, friend=UUID(int=6),
    )  # fmt: skip


def test_every_way_of_reading_gives_what_own_classes_make(account: Account) -> None:
    """Rows of the compiled codec, plain classes and lazy ones agree, whatever names the rows use."""
    key = account.get_primary_key_dict()
    assert key == {"owner": ADA, "balance": Decimal("2.5")}
    found = Account.get(**key)
    assert found is not None
    for one in (found, *Account.scan(), *Account.query().where(Account.owner == ADA), *Account.batch_get(key)):
        values = (one.exact, one.cents, one.count, one.other, one.name, one.vector, one.friend, one.later)
        assert values == (Decimal("0.01"), Decimal(1), 3, "AB", "ada", [0.1, 0.2], UUID(int=6), {"a": []})
    found.later["a"].append(1)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Account\.later was edited"):
        found.commit_changes()
    found.discard_changes().set_field(Account.later, [1]).commit_changes()
    assert (found.later, Account.scan().first()) == ([1], found)


def test_own_numbers_are_added_to_atomically(place: Place, account: Account) -> None:
    """What is stored as a number can be added to, in its stored form, exactly; the sum shows as the class reads it."""
    other = Account.get(**account.get_primary_key_dict())
    assert other is not None
    for instance in (account, other):
        instance.add_to_field(Account.exact, Decimal("1.50")).add_to_field(
            Account.exact, Decimal("0.000000000000000001")
        )
        instance.add_to_field(Account.cents, Decimal("0.25"))
        assert (instance.exact, instance.cents) == (Decimal("1.510000000000000001"), Decimal("1.25"))
        instance.commit_changes()
    assert (other.exact, other.cents) == (Decimal("3.010000000000000002"), Decimal("1.50"))
    (item,) = place.call("Scan", TableName=place.table_name(Account))["Items"]
    assert (item["exact"], item["cents"]) == ({"N": "3.010000000000000002"}, {"N": "150"})
    account.set_field(Account.exact, Decimal("0.1")).add_to_field(Account.exact, Decimal("0.2")).commit_changes()
    assert account.exact == Decimal("0.3")
    with pytest.raises(dynamix.FieldValidationException, match=r"Account\.cents .*part of a cent"):
        account.add_to_field(Account.cents, Decimal("0.001"))
    with pytest.raises(dynamix.FieldValidationException, match=r"Account\.count .*not stored as a number"):
        account.add_to_field(Account.count, 1)
    with pytest.raises(dynamix.InvalidUpdateError, match="a number"):
        account.add_to_field(Account.friend, 1)  # type: ignore[type-var]


def test_a_handle_has_a_key_of_an_own_class(place: Place, account: Account) -> None:
    """The key of which an instance was made is no edit in place, whatever its class; it stays where others are given
    up."""
    handle = Account(owner=ADA, balance=Decimal("2.50"))
    handle.add_to_field(Account.cents, Decimal("0.25")).commit_changes()
    assert handle.cents == Decimal("1.25")
    handle = Account(owner=ADA, balance=Decimal("2.50")).set_field(Account.count, 9).discard_changes()
    assert handle.get_primary_key_dict() == account.get_primary_key_dict()
    assert place.call("Scan", TableName=place.table_name(Account))["Count"] == 1


def test_an_own_spelling_is_no_edit(account: Account) -> None:
    """Numbers with zeros at their ends are the same, and so are sets in another order: neither is an edit in place."""
    account.set_field(Account.exact, Decimal("2.5")).set_field(Account.loose, {0}).commit_changes()
    for number in (8, 16, 24):
        account.add_to_field(Account.exact, Decimal("2.50")).add_to_setfield(Account.loose, {number})
        account.commit_changes()
    assert (account.exact, account.loose) == (Decimal(10), {0, 8, 16, 24})


def test_parts_go_through_the_class(account: Account) -> None:
    """contains and begins_with look for what the class stores, or are refused by its conversion."""
    for condition in (
        Account.name.contains("Da"),
        Account.name.begins_with("Ad"),
        Account.vector.contains(0.2),
        Account.tags.contains("B"),
        Account.since.begins_with("2024") | Account.count.contains(3),
    ):
        assert [found.owner for found in Account.scan().where(condition)] == [account.owner]
    for wrong in (
        lambda: Account.friend.begins_with("0000"),
        lambda: Account.friend.contains("0000"),
        lambda: Account.name.contains(5),
        lambda: Account.tags.contains(5),
        lambda: Account.create(owner=ADA, balance=Decimal(1), short="long"),
    ):
        with pytest.raises(dynamix.FieldValidationException, match=r"Account\."):
            wrong()


def test_what_json_does_not_know_prints_as_it_is_stored(account: Account) -> None:
    """to_son gives what json.dumps takes, whatever the classes of the fields."""
    printed = json.loads(json.dumps(account.to_son()))
    assert (printed["owner"], printed["friend"]) == (str(ADA), str(UUID(int=6)))
    assert (printed["balance"], printed["later"], printed["vector"]) == ("2.50", {"a": []}, [0.1, 0.2])


def test_any_error_of_a_conversion_names_field_and_value(place: Place, account: Account) -> None:
    """Whatever a class's own conversion raises comes as FieldValidationException, with field, value and cause."""
    for refused in (
        lambda: account.set_field(Account.friend, "x"),
        lambda: Account.friend == "x",
        lambda: Account.create(owner="x", balance=Decimal(1)),
        lambda: Account.get(owner="x", balance=Decimal(1)),
        lambda: Account.batch_write([{"owner": ADA, "balance": Decimal(1), "friend": "x"}]),
    ):
        with pytest.raises(dynamix.FieldValidationException, match=r"Account\.\w+ cannot hold 'x'.*no UUID") as caught:
            refused()
        assert (caught.value.value, type(caught.value.__cause__)) == ("x", Weird)
    key = {"owner": {"S": str(ADA)}, "balance": {"N": "250"}}
    for name, form in (("friend", {"S": "x"}), ("count", {"N": "1"}), ("exact", {"S": "x"}), ("later", {"S": "{"})):
        place.call("PutItem", TableName=place.table_name(Account), Item={**key, name: form})
        for read in (lambda: Account.get(**account.get_primary_key_dict()), lambda: Account.scan().first()):
            with pytest.raises(dynamix.StoredValueError, match=rf"Account\.{name}") as caught:
                getattr(read(), name)
            assert (caught.value.field, caught.value.value) == (name, form)


class Kept(dynamix.Model):
    """A lazy class as a key, of the table and of an index."""

    __secondary_indexes__: ClassVar = {"by_label": {"hash_key": "label"}}

    name = KeyedField(hash_key=True)
    label = KeyedField()


def test_a_lazy_class_can_be_a_key() -> None:
    """A key is read at once, whatever its class says; cursors and second rounds know it as stored."""
    dynamix.create_table(Kept)
    Kept.batch_write([{"name": [number], "label": {"n": number}} for number in range(3)])
    assert Kept.get(name=[1]) == Kept(name=[1], label={"n": 1})
    found, cursor = [], None
    while len(found) < 3:
        page, cursor = Kept.scan().use_index("by_label").limit(1).start_key(cursor).get_items(True)
        found += page
    assert sorted(one.label["n"] for one in found) == [0, 1, 2]
    found[0].delete()
    assert Kept.scan().count() == 2


class SaltedField(dynamix.Field[Any, Any]):
    """JSON behind a counter, so that one value is stored otherwise each time, as what is encrypted is."""

    salt = 0

    def to_wire(self, value: Any) -> dict[str, Any]:
        SaltedField.salt += 1
        return {"S": f"{SaltedField.salt} {json.dumps(value)}"}

    def from_wire(self, wire: dict[str, Any]) -> Any:
        return json.loads(wire["S"].partition(" ")[2])


class Secret(dynamix.Model):
    """One such field."""

    key = dynamix.CharField(hash_key=True)
    secret = SaltedField()
    count = dynamix.IntegerField()


def test_a_class_that_stores_one_value_in_many_ways() -> None:
    """What was not edited is not taken for edited, whatever its class would store now; what was edited is."""
    dynamix.create_table(Secret)
    created = Secret.create(key="k", secret={"a": [1]})
    found = Secret.get(key="k")
    assert found is not None
    for instance in (created, found):
        instance.add_to_field(Secret.count, 1).commit_changes()
        Secret.batch_write([instance])
        instance.secret["a"].append(2)
        with pytest.raises(dynamix.InvalidUpdateError, match=r"Secret\.secret was edited"):
            instance.commit_changes()
        assert instance.discard_changes().secret == {"a": [1]}


class FormField(dynamix.Field[Any, Any]):
    """What is given is the stored form."""

    key_type = "N"

    def to_wire(self, value: Any) -> Any:
        return value

    def from_wire(self, wire: dict[str, Any]) -> Any:
        return wire


class Raw(dynamix.Model):
    """A key and a value of that class."""

    key = FormField(hash_key=True)
    value = FormField()


@pytest.mark.parametrize("form", [5, {}, {"Q": "x"}, {"N": 5}, {"B": b"x"}, {"S": "x", "N": "1"}])
def test_what_is_no_stored_form_is_the_fault_of_the_class(form: Any) -> None:
    """A class that makes no stored form of a value, or one that its key cannot have, is named before it is sent."""
    for attempt in (Raw(key={"N": "1"}, value=form).validate, lambda: Raw.value == form, lambda: Raw.value.set(form)):
        with pytest.raises(dynamix.ModelDefinitionError, match=r"Raw\.value: to_wire of FormField returned"):
            attempt()
    with pytest.raises(
        dynamix.ModelDefinitionError, match=r"Raw\.key: to_wire of FormField returned .*key_type is 'N'"
    ):
        Raw(key={"S": "x"}).validate()
    Raw(key={"N": "1"}, value={"S": "x"}).validate()
