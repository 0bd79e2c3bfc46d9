"""What a type checker must infer."""

import datetime
import re
from array import array
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Generic, Literal, TypeVar, Unpack, assert_type, overload
from uuid import UUID

from forum import Cart, Colour, Customer, ForumThread, Letter, Order, Part, Person, Picture, Sheet, Shop, State

import dynamix
from dynamix import Cursor
from dynamix.fields import Defaulted, Form, NumberDraft, Options, Present
from dynamix.query import Query
from dynamix.scan import Scan

T = TypeVar("T")

thread = ForumThread(forum_id="science", thread_id="physics_1", author="me")

# A field that may be missing reads as its type or None.
assert_type(thread.title, str | None)
assert_type(thread.user_id, str | None)
assert_type(thread.votes, int | None)
assert_type(thread.score, float | None)
assert_type(thread.due, datetime.date | None)
assert_type(thread.opens, datetime.time | None)
assert_type(thread.took, datetime.timedelta | None)
assert_type(thread.tags, set[Any] | None)
assert_type(thread.key_value_data, dict[str, Any] | None)

# A key, a required field and a field with a default read as their type.
assert_type(thread.forum_id, str)
assert_type(thread.thread_id, str)
assert_type(thread.author, str)
assert_type(thread.state, str)
assert_type(thread.updated_at, int)
assert_type(thread.closed, bool)
assert_type(thread.user_reviews, list[Any])

# On the class the name is the field, and makes conditions.
field: dynamix.CharField[Any] = ForumThread.title
condition = ForumThread.title.eq("x") & (ForumThread.votes >= 3) | ~ForumThread.tags.contains("y")

# Changes take the values of their fields.
thread.set_field(ForumThread.title, "x")
thread.set_field(ForumThread.title, None)
thread.set_field(ForumThread.updated_at, 5)
thread.set_field(ForumThread.tags, {"a", "b"})
thread.append_to_listfield(ForumThread.user_reviews, ["100", 5])
thread.set_modify_conditions(condition)
thread.add_modify_conditions(ForumThread.title.unchanged() | ForumThread.votes.not_exists())

# What is found is of the model's own type.
assert_type(ForumThread.get(forum_id="science", thread_id="physics_1"), ForumThread | None)
assert_type(ForumThread.create(forum_id="science", thread_id="physics_1"), ForumThread)
assert_type(ForumThread.batch_get({"forum_id": "science", "thread_id": "physics_1"}), list[ForumThread])
assert_type(
    ForumThread.query().where(ForumThread.forum_id.eq("science")).get_items(), tuple[list[ForumThread], Cursor | None]
)
assert_type(ForumThread.query().where(ForumThread.forum_id == "science").first(), ForumThread | None)
assert_type(ForumThread.query().where(ForumThread.forum_id == "science").count(), int)
bounded = ForumThread.query(ForumThread.title).filter(ForumThread.votes > 3).order(asc=False).page_size(5).max_pages(3)
bounded = bounded.max_units(1.5).max_seconds(2).select(ForumThread.votes, ForumThread.title).limit(3)
assert_type(bounded.one(), ForumThread)
assert_type(bounded.all(requery_for_all_projections=True), list[ForumThread])
assert_type(bounded.exists(), bool)
assert_type(bounded.delete(progress=print), int)
assert_type(bounded.update(ForumThread.votes.add(1), ForumThread.title.remove()), int)
for page in bounded.pages(10):
    assert_type(page, dynamix.Page[ForumThread])
    assert_type(page.items, list[ForumThread])
for found in ForumThread.query().where(ForumThread.forum_id.eq("science")):
    assert_type(found, ForumThread)
for found in ForumThread.scan():
    assert_type(found, ForumThread)


class Pinned(ForumThread):
    """A model that inherits its fields."""

    rank = dynamix.IntegerField(required=True)


pinned = Pinned.get(forum_id="science", thread_id="physics_1")
assert_type(pinned, Pinned | None)
if pinned is not None:
    assert_type(pinned.rank, int)
    assert_type(pinned.title, str | None)


class Holder(dynamix.Model):
    """A model with unique values."""

    __unique__ = (("tenant", "email"), ["tenant", "number"])
    __unique_in_table__ = True

    key = dynamix.CharField(hash_key=True)
    tenant = dynamix.CharField(required=True)
    email = dynamix.CharField(unique=True)
    number = dynamix.IntegerField(unique=True, default=1)


holder = Holder(key="k", tenant="t")
assert_type(holder.email, str | None)
assert_type(holder.number, int)


def taken(error: dynamix.NotUniqueError, reason: dynamix.CancellationReason) -> None:
    assert_type(error.field, str)
    assert_type(error.owner, dict[str, Any] | None)
    assert_type(reason.error, dynamix.DynamixError | None)


# The asyncio twins give the same.
async def twins() -> None:
    assert_type(await ForumThread.aget(forum_id="science", thread_id="physics_1"), ForumThread | None)
    assert_type(await ForumThread.acreate(forum_id="science", thread_id="physics_1"), ForumThread)
    assert_type(await ForumThread.aexists(forum_id="science", thread_id="physics_1"), bool)
    assert_type(await ForumThread.abatch_get({"forum_id": "science", "thread_id": "physics_1"}), list[ForumThread])
    assert_type(await ForumThread.abatch_write([thread, {"forum_id": "science"}]), list[ForumThread])
    await ForumThread.abatch_delete([thread, {"forum_id": "science", "thread_id": "physics_1"}])
    await ForumThread.abatch_delete(keys=[{"forum_id": "science", "thread_id": "physics_1"}])
    await thread.acommit_changes(atomic=True)
    query = ForumThread.query(ForumThread.title).use_index(ForumThread.updated_at, asc=False).limit(3)
    assert_type(query.use_index(ForumThread.by_author, asc=False), Query[ForumThread])
    scan = ForumThread.scan(segments=8, rate=10, progress=print).use_index(ForumThread.by_votes)
    assert_type(scan.split(4), list[Scan[ForumThread]])
    assert_type(scan.split(4)[0].all(), list[ForumThread])
    assert_type(await query.aget_items(requery_for_all_projections=True), tuple[list[ForumThread], Cursor | None])
    assert_type(await query.afirst(), ForumThread | None)
    assert_type(await query.acount(), int)
    async for found in query:
        assert_type(found, ForumThread)
    assert_type(await query.aone(), ForumThread)
    assert_type(await query.aupdate(ForumThread.votes.add(1)), int)
    async for page in query.pages():
        assert_type(page.next, Cursor | None)
    async for found in ForumThread.scan():
        assert_type(found, ForumThread)
    await dynamix.acreate_table(ForumThread, force=True)


def made(kinds: Any) -> dict[str, int]:
    """A default of a map."""
    return {"a": 1}


# Each kind of field, in each way of ruling None out.
class Kinds(dynamix.Model):
    """One model of them all."""

    key = dynamix.DateTimeField(hash_key=True)
    sort = dynamix.FloatField(range_key=True)
    text = dynamix.CharField(default_using_instance=lambda kinds: "made", validator=str.isascii)
    number = dynamix.IntegerField(required=True, minimum=0)
    real = dynamix.FloatField(default=1)
    truth = dynamix.BooleanField(required=True)
    moment = dynamix.DateTimeField(auto_now=True)
    began = dynamix.DateTimeField(required=True)
    day = dynamix.DateField(default=datetime.date.today)
    clock = dynamix.TimeField(required=True)
    span = dynamix.TimeDeltaField(default=datetime.timedelta(1))
    items = dynamix.ListField(required=True)
    mapping = dynamix.DictField(default=dict)
    many = dynamix.SetField(required=True)
    counts = dynamix.DictField(of=int, default_using_instance=made)
    written = dynamix.DateTimeField(auto_now_add=True, utc=True)
    never = dynamix.DateTimeField(utc=True)
    anything = dynamix.JSONField(default_using_instance=made)


kinds = Kinds(sort=1.5)
assert_type(kinds.key, datetime.datetime)
assert_type(kinds.sort, float)
assert_type(kinds.text, str)
assert_type(kinds.counts, dict[str, int])
assert_type(kinds.written, datetime.datetime)
assert_type(kinds.never, datetime.datetime | None)
assert_type(kinds.number, int)
assert_type(kinds.real, float)
assert_type(kinds.truth, bool)
assert_type(kinds.moment, datetime.datetime)
assert_type(kinds.began, datetime.datetime)
assert_type(kinds.day, datetime.date)
assert_type(kinds.clock, datetime.time)
assert_type(kinds.span, datetime.timedelta)
assert_type(kinds.items, list[Any])
assert_type(kinds.mapping, dict[str, Any])
assert_type(kinds.many, set[Any])
assert_type(thread.created, datetime.datetime)

# Fields of exact values: with default=None they may read as None, with required=True not.
part = Part(digest=b"x", price=Decimal(1))
assert_type(part.digest, bytes)
assert_type(part.price, Decimal)
assert_type(part.cost, Decimal | None)
assert_type(part.rate, Decimal)
assert_type(part.seal, bytes | None)
assert_type(part.id, UUID)
assert_type(part.other_id, UUID | None)
assert_type(part.colour, Colour)
assert_type(part.shade, Colour | None)
assert_type(part.state, State)
assert_type(part.old_state, State | None)
assert_type(part.level, int | None)
assert_type(part.document, Any | None)
assert_type(part.details, Any)
assert_type(part.anything, Any | None)
assert_type(part.title, str | None)
part.price = 5
part.seal = bytearray(b"x")
part.state = "live"
part.change(Part.cost.add(Decimal(1)), Part.colour.set(Colour.RED), Part.details["a"][0].set(1))
Part.scan().where(Part.digest.begins_with(b"x"), Part.title.begins_with("x"), Part.details["a"].begins_with("x"))
Part.scan().where(ForumThread.created.begins_with("2026"), Part.state == "live", Part.rate < Decimal(1))

# Stored forms have names, or are two functions.
assert_type(dynamix.DateTimeField(stored="bloop", required=True), dynamix.DateTimeField[datetime.datetime])
assert_type(
    dynamix.DateTimeField(stored=(datetime.datetime.isoformat, datetime.datetime.fromisoformat)),
    dynamix.DateTimeField[datetime.datetime | None],
)
assert_type(dynamix.TimeDeltaField(stored="iso", default=None), dynamix.TimeDeltaField[datetime.timedelta | None])
assert_type(dynamix.TimeField(stored="iso", required=True), dynamix.TimeField[datetime.time])
assert_type(dynamix.BinaryField(stored="base64", default=b""), dynamix.BinaryField[bytes])

# Limits and transformers are of the field's type.
assert_type(dynamix.CharField(transform=[str.strip, str.lower], choices=["a"], default="a"), dynamix.CharField[str])
assert_type(dynamix.FloatField(minimum=0, required=True), dynamix.FloatField[float])
assert_type(dynamix.ListField(max_length=3), dynamix.ListField[list[Any] | None])


def shown(error: dynamix.FieldValidationException) -> list[str]:
    """What a form shows."""
    assert_type(error.errors, list[dynamix.FieldError])
    return [f"{field}: {message}" for field, _, message in error.errors]


# A collection with declared elements reads as one of them.
cart = Cart(id="c", colours=[Colour.RED])
assert_type(cart.counts, list[int] | None)
assert_type(cart.colours, list[Colour])
assert_type(cart.prices, dict[str, Decimal])
assert_type(cart.notes, dict[str, str] | None)
assert_type(cart.ids, set[UUID])
cart.counts = [1]
cart.prices = {"a": Decimal(1)}
cart.change(Cart.counts.append(1), Cart.prices["a"].add(Decimal(1)), Cart.ids.add({UUID(int=1)}))

# A field around another has its values.
letter = Letter(id="l", text="x")
assert_type(letter.text, str)
assert_type(letter.data, dict[str, Any] | None)
assert_type(letter.secret, str | None)
assert_type(letter.salary, Decimal)

# What is computed has the type of what it makes.
person = Person(first="Ada")
assert_type(person.pk, str)
assert_type(person.by_last, str | None)
assert_type(person.initials, str | None)
assert_type(person.length, int)
Person.scan().where(Person.initials.begins_with("A"), Person.length > 3)

# Assigning takes the values of the field, and None where it reads as None.
thread.title = None
thread.votes = 3
kinds.real = 2
kinds.mapping = {"a": 1}
ForumThread.query().start_key({"forum_id": {"S": "science"}, "thread_id": {"S": "physics_1"}})
dynamix.Connection(cursor_key=[b"0123456789abcdef", "fedcba9876543210"], encrypt_cursors=True)
assert_type(ForumThread.scan().explain(), dynamix.Explanation)
with dynamix.dry_run(reads=False) as requests:
    assert_type(requests, list[dynamix.DryRequest])
with dynamix.capacity(at_most=5.5) as used:
    assert_type(used, dynamix.Capacity)
    assert_type(used.indexes, dict[tuple[str, str | None], float])
ForumThread.query().start_key(None).start_key("text").start_key(ForumThread.query().get_items()[1])
ForumThread.batch_delete(keys=[{"forum_id": "science", "thread_id": "physics_1"}])
ForumThread.batch_write([thread])
assert_type(thread.to_son(), dict[str, Any])
assert_type(ForumThread.from_son({"title": "x"}), ForumThread)
assert_type(ForumThread.json_schema(mode="serialization", exclude=["title"]), dict[str, Any])


# Indexes are described by a dict, with or without a word about its type.
class Indexed(dynamix.Model):
    """Indexes in each way."""

    __secondary_indexes__: ClassVar[Mapping[str, dynamix.IndexOptions]] = {
        "all": {"hash_key": "key", "projections": "ALL"},
        "keys": {"hash_key": "key", "range_key": "sort", "projections": "KEYS_ONLY", "read_capacity": 1},
        "some": {"hash_key": "key", "projections": ["text", "sort"]},
    }
    key = dynamix.CharField(hash_key=True)
    sort = dynamix.CharField(range_key=True)
    text = dynamix.CharField(indexed=True, projections="KEYS_ONLY")


# What cannot be read is skipped, or told to a function.
assert_type(ForumThread.scan(on_error="skip").first(), ForumThread | None)
assert_type(ForumThread.query(on_error=lambda error: print(error.key)).first(), ForumThread | None)
assert_type(
    ForumThread.batch_get({"forum_id": "science", "thread_id": "physics_1"}, on_error="raise"), list[ForumThread]
)
assert_type(dynamix.compare_table(ForumThread), list[dynamix.TableDifference])
for difference in dynamix.update_table(ForumThread):
    if isinstance(difference, dynamix.IndexMissing):
        assert_type(difference.index, str)
ForumThread.delete_table()


# A field class of one's own says by three overloads when None is ruled out.
class MoneyField(dynamix.Field[Decimal, T]):
    """An amount, stored as a number of cents."""

    form = Form(frozen=True)
    draft = NumberDraft
    key_type = "N"

    @overload
    def __init__(self: "MoneyField[Decimal]", **options: Unpack[Present[Decimal]]) -> None: ...
    @overload
    def __init__(self: "MoneyField[Decimal]", **options: Unpack[Defaulted[Decimal]]) -> None: ...
    @overload
    def __init__(self: "MoneyField[Decimal | None]", **options: Unpack[Options[Decimal]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        return {"N": str(int(value * 100))}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return Decimal(wire["N"]) / 100


class Bill(dynamix.Model):
    """Fields of that class, and the options of the others."""

    number = dynamix.CharField(hash_key=True, pattern=re.compile("[0-9]+"))
    total = MoneyField(required=True)
    tax = MoneyField(default=Decimal(0))
    rebate = MoneyField(null=True)
    due = dynamix.DateTimeField(utc=True)
    lines = dynamix.ListField(default=[], numbers=Decimal)
    notes = dynamix.CharField(validator=str.isascii, pattern="[a-z]*", null=True)


bill = Bill(number="1", total=Decimal(5))
assert_type(bill.total, Decimal)
assert_type(bill.tax, Decimal)
assert_type(bill.rebate, Decimal | None)
assert_type(bill.due, datetime.datetime | None)
assert_type(bill.lines, list[Any])
bill.add_to_field(Bill.total, Decimal("0.5")).add_to_field(Bill.tax, Decimal(1))
thread.add_to_field(ForumThread.votes, 1).add_to_field(ForumThread.score, 1)
assert_type(Bill.key_of(number="1"), dynamix.Key[Bill])
assert_type(bill.get_primary_key_dict(), dynamix.Key[Bill])
key_as_dict: dict[str, Any] = Bill.key_of(number="1")
Bill.query().where(Bill.number.same_as(bill), Bill.total >= Decimal(1))

# Saving, and what reads a second time.
saved = ForumThread(forum_id="science", thread_id="physics_1").save(if_unchanged=True)
assert_type(saved, ForumThread)
assert_type(saved.refresh(discard=True), ForumThread)
assert_type(ForumThread.get_or_raise(forum_id="science", thread_id="physics_1"), ForumThread)
assert_type(
    ForumThread.get_or_create({"title": "t"}, forum_id="science", thread_id="physics_1"), tuple[ForumThread, bool]
)
assert_type(ForumThread.get(ForumThread.title, forum_id="science", thread_id="physics_1"), ForumThread | None)
assert_type(ForumThread.delete_by_key(forum_id="science", thread_id="physics_1", returns="old"), ForumThread | None)

# Actions take the values of their fields; what is computed has the type of its operands.
actions: list[dynamix.Action] = [
    ForumThread.title.set("x"),
    ForumThread.title.set(None),
    ForumThread.title.set(ForumThread.author),
    ForumThread.title.set_if_missing("x"),
    ForumThread.title.remove(),
    ForumThread.votes.add(1),
    ForumThread.score.add(1),
    ForumThread.votes.set(ForumThread.votes + ForumThread.updated_at),
    ForumThread.votes.set(ForumThread.votes - 5),
    ForumThread.votes.set(5 - ForumThread.votes),
    ForumThread.score.set(ForumThread.score + 0.5),
    ForumThread.score.set(ForumThread.votes + 1),
    ForumThread.tags.add({"x"}),
    ForumThread.tags.delete(["x"]),
    ForumThread.user_reviews.append("z"),
    ForumThread.user_reviews.prepend([1, 2]),
    ForumThread.user_reviews[0]["price"].set(5),
    ForumThread.user_reviews[0].append("x"),
    ForumThread.key_value_data["a"].remove(),
    ForumThread.key_value_data["a"]["n"].add(1),
    ForumThread.key_value_data["n"].set(ForumThread.votes + 1),
    ForumThread.took.set(datetime.timedelta(1)),
    Bill.total.add(Decimal(1)),
    Bill.total.set(Bill.total + Bill.tax),
]
assert_type(thread.change(*actions), ForumThread)
KEY: dict[str, Any] = {"forum_id": "science", "thread_id": "physics_1"}
ForumThread.update_by_key(*actions, **KEY)
assert_type(ForumThread.update_by_key(ForumThread.votes.add(1), returns="new", **KEY), ForumThread)
assert_type(
    ForumThread.update_by_key(ForumThread.votes.add(1), returns="old", forum_id="science", thread_id="physics_1"),
    ForumThread | None,
)


async def changes_twin() -> None:
    assert_type(
        await ForumThread.aupdate_by_key(
            ForumThread.votes.add(1), condition=condition, upsert=True, returns="new", forum_id="a", thread_id="b"
        ),
        ForumThread,
    )


# Transactions return what they store, and read each key as its model.
def in_a_transaction(stored: Bill) -> None:
    """What the verbs of a block take and return."""
    with dynamix.transaction(token="t") as tx:
        assert_type(tx, dynamix.Transaction)
        assert_type(tx.create(Bill, number="1", total=Decimal(5)), Bill)
        assert_type(tx.create(stored, condition=Bill.total == Decimal(1)), Bill)
        assert_type(tx.put(ForumThread, forum_id="science", thread_id="physics_1", author="me"), ForumThread)
        assert_type(tx.put(stored), Bill)
        assert_type(tx.save(stored, if_unchanged=True), Bill)
        tx.delete(stored, condition=Bill.total == Decimal(1))
        tx.delete(Bill, number="1", condition=Bill.total == Decimal(1))
        tx.update(Bill, Bill.total.add(Decimal(1)), number="1", condition=Bill.total >= Decimal(1), upsert=True)
        tx.check(Bill, Bill.total >= Decimal(1), number="1")


async def in_a_task() -> None:
    """The same with await."""
    async with dynamix.transaction() as tx:
        assert_type(tx, dynamix.Transaction)
    assert_type(await dynamix.atransact_get(bill_key), tuple[Bill | None])
    assert_type(await dynamix.atransact_get(thread_key, bill_key), tuple[ForumThread | None, Bill | None])


bill_key, thread_key = Bill.key_of(number="1"), thread.get_primary_key_dict()
assert_type(dynamix.transact_get(), tuple[()])
assert_type(dynamix.transact_get(bill_key), tuple[Bill | None])
assert_type(dynamix.transact_get(bill_key, thread_key), tuple[Bill | None, ForumThread | None])
assert_type(dynamix.transact_get(bill_key, thread_key, bill_key), tuple[Bill | None, ForumThread | None, Bill | None])
assert_type(
    dynamix.transact_get(bill_key, thread_key, bill_key, thread_key),
    tuple[Bill | None, ForumThread | None, Bill | None, ForumThread | None],
)
assert_type(
    dynamix.transact_get(bill_key, thread_key, bill_key, thread_key, bill_key),
    tuple[Bill | None, ForumThread | None, Bill | None, ForumThread | None, Bill | None],
)
assert_type(dynamix.transact_get(*[bill_key, bill_key]), tuple[Bill | None, ...])


# Versions.
sheet = Sheet.create(name="plan", title="t")
assert_type(sheet.version, int | None)
assert_type(sheet.save(condition=Sheet.version == 1), Sheet)
assert_type(Sheet.batch_write([sheet], unchecked=True), list[Sheet])


async def retitle(page: Sheet) -> Sheet:
    """What amodify takes beside plain functions."""
    return page.set_field(Sheet.title, "new")


async def modify() -> None:
    """Functions, blocking or async, that return the instance or nothing."""
    assert_type(Sheet.modify(lambda page: page.set_field(Sheet.title, "x"), attempts=3, name="plan"), Sheet)
    assert_type(await Sheet.amodify(retitle, name="plan"), Sheet)
    assert_type(await Sheet.amodify(lambda page: page.set_field(Sheet.title, "x"), name="plan"), Sheet)


class Session(dynamix.Model):
    """When an item expires may be given in several ways, and reads as a datetime."""

    token = dynamix.CharField(hash_key=True)
    expires = dynamix.TTLField(required=True)
    refreshed = dynamix.TTLField(default=datetime.timedelta(days=1))


session = Session(token="a1")
assert_type(session.expires, datetime.datetime)
assert_type(session.refreshed, datetime.datetime | None)
session.expires = datetime.timedelta(hours=1)
session.expires = 1893499200
session.refreshed = None
Session.query().where(Session.expires > datetime.datetime.now(datetime.UTC))


def report(response: dynamix.ResponseInfo) -> None:
    """What a connection may call."""
    assert_type(response.request, dynamix.RequestInfo)
    assert_type(response.seconds, float)


dynamix.Connection(embedded=True, on_request=print, on_response=report)


# Batches return what they store, and read keys as their models.
def in_a_batch(stored: Bill) -> None:
    """What the verbs of a block take and return."""
    with dynamix.batch(progress=print) as b:
        assert_type(b, dynamix.Batch[dynamix.Model])
        assert_type(b.put(stored), Bill)
        assert_type(b.put(ForumThread, forum_id="science", thread_id="physics_1", author="me"), ForumThread)
        b.delete(stored)
        b.delete(Bill, number="1")
        b.delete(Bill.key_of(number="1"))
    with Bill.batch() as own:
        assert_type(own, dynamix.Batch[Bill])
        assert_type(own.put({"number": "1"}), Bill)
        own.delete({"number": "1"})


async def in_an_async_batch(stored: Bill) -> None:
    """The same with await."""
    async with dynamix.batch() as b:
        assert_type(await b.aput(stored), Bill)
        await b.adelete(stored)
    assert_type(await dynamix.abatch_get(stored, Bill.key_of(number="1")), list[Bill])


assert_type(dynamix.batch_get(bill, Bill.key_of(number="1")), list[Bill])
models: list[dynamix.Model] = dynamix.batch_get(bill, thread, consistent=True, on_error="skip")

# PartiQL gives rows of the model's own type, or dicts.
assert_type(dynamix.partiql("SELECT ...", ["x"], model=ForumThread), dynamix.Rows[ForumThread])
assert_type(dynamix.partiql("SELECT ...", scan=True), dynamix.Rows[dict[str, Any]])
assert_type(dynamix.partiql_batch(dynamix.Statement("SELECT ...", ["x"], ForumThread)), list[ForumThread | None])
assert_type(dynamix.partiql("SELECT ...", model=ForumThread).cursor, str | None)

# Models that share a table.
order = Order(total=1)
assert_type(order.kind, str)
assert_type(Shop.query().where(Shop.pk == "a").all(), list[Shop])
assert_type(Order.query(customer_id="1").all(), list[Order])
both = dynamix.Table(Customer, Order)
assert_type(both, dynamix.Table[Customer | Order])
assert_type(both.query(customer_id="1").filter(Order.total > 1).all(), list[Customer | Order])
assert_type(both.scan().first(), Customer | Order | None)
assert_type(both.get(pk="a", sk="b"), Customer | Order | None)
assert_type(both.batch_get({"pk": "a", "sk": "b"}), list[Customer | Order])
assert_type(dynamix.transact_get(both.key_of(pk="a", sk="b")), tuple[Customer | Order | None])
assert_type(dynamix.Table(Customer, Order, ForumThread), dynamix.Table[Customer | Order | ForumThread])
grouped = both.query(customer_id="1").grouped()
assert_type(grouped, dynamix.Groups[Customer | Order])
assert_type(grouped[Order], list[Order])
assert_type(grouped.one(Customer), Customer)
assert_type(grouped.first(Customer), Customer | None)
assert_type(Order.of_customer("1", above=3).all(), list[Order])
assert_type(Order.large(5).first(), Order | None)
assert_type(Order.access_patterns(), list[dynamix.AccessPattern])
assert_type(Order.access_patterns()[0].units, tuple[float, float] | None)


async def read_together() -> None:
    """The same with await."""
    assert_type(await both.aget(pk="a", sk="b"), Customer | Order | None)
    assert_type(await both.abatch_get({"pk": "a", "sk": "b"}), list[Customer | Order])
    assert_type(await both.query(customer_id="1").agrouped(), dynamix.Groups[Customer | Order])


# Which writes are repeated, and what became of one.
dynamix.Connection(embedded=True, repeat_writes="token")
with dynamix.repeat_writes("never"):
    pass


def found_out(error: dynamix.OutcomeUnknownError) -> None:
    """What an error finds out is one of three words."""
    assert_type(error.resolve(), Literal["applied", "not applied", "undecidable"])
    assert_type(error.resolve(unique=Bill.number, connection=dynamix.Connection()) == "applied", bool)


async def afound_out(error: dynamix.DynamixError) -> None:
    """The same with await."""
    assert_type(await error.aresolve(unique=Bill.number), Literal["applied", "not applied", "undecidable"])


class Versioned(dynamix.Model):
    """A model that changed over time."""

    __schema_version__ = 2
    key = dynamix.CharField(hash_key=True)
    sort = dynamix.CharField(range_key=True)
    title = dynamix.CharField(was="name", default="")
    at = dynamix.IntegerField(indexed=True, index_name="lsi1")

    @dynamix.upgrade(1, reads=["size"])
    @staticmethod
    def drop_size(stored: dict[str, Any]) -> None:
        """From version 1."""
        stored.pop("size", None)


assert_type(Versioned(key="k", sort="s").undeclared, Mapping[str, Any])
Versioned.drop_size({"size": 1})


class Log(dynamix.Model, Generic[T]):
    """A generic base."""

    key = dynamix.CharField(hash_key=True)
    entries: dynamix.ListField[list[T]] = dynamix.ListField(default=[])


class NumberLog(Log[int]):
    """One of its kinds."""


assert_type(NumberLog(key="k").entries, list[int])
picture = Picture(id="p", tone=[1.0, 2, 3])
assert_type(picture.embedding, tuple[float, ...] | None)
assert_type(picture.tone, tuple[float, ...])
picture.tone = [1.0, 2.0, 3]
picture.tone = array("f", [1, 2, 3])
pairs = Picture.search(Picture.embedding, near=[1, 2, 3], top=5, where=Picture.kind == "a", fields=[Picture.kind])
assert_type(pairs, list[tuple[Picture, float]])
Picture.search(Picture.near, (1.0, 2, 3), where=[Picture.kind == "a"])
