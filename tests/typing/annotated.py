"""What a type checker must know of a model that is declared with annotations."""

import datetime
import decimal
import uuid
from typing import Any, Literal, assert_type

import dynamix
from dynamix import BooleanField, CharField, Condition, DateTimeField, DictField, IntegerField, ListField, SetField


class Book(dynamix.TypedModel):
    """Fields of each kind: a key, required, with a default, and such that may be missing."""

    __table_name__ = "books"
    __secondary_indexes__ = {"by_author": {"hash_key": "author", "projections": "ALL"}}  # noqa: RUF012 - as users do

    isbn: CharField[str] = CharField(hash_key=True)
    author: CharField[str] = CharField(required=True)
    title: CharField[str | None] = CharField(default=None, max_length=200)
    pages: IntegerField[int] = IntegerField(default=0, minimum=0)
    lent: BooleanField[bool] = BooleanField(default=False)
    tags: SetField[set[Any]] = SetField(default=set)
    reviews: ListField[list[Any]] = ListField(default=list)
    extra: DictField[dict[str, Any] | None] = DictField(default=None)
    bought: DateTimeField[datetime.datetime] = DateTimeField(default=None, auto_now_add=True)
    slug: CharField[str] = CharField(default=None, default_using_instance=lambda book: str(book.title).lower())


class Copy(dynamix.TypedModel):
    """Fields of the other classes."""

    id: dynamix.UUIDField[uuid.UUID] = dynamix.UUIDField(hash_key=True)
    price: dynamix.DecimalField[decimal.Decimal] = dynamix.DecimalField(places=2, required=True)
    cover: dynamix.BinaryField[bytes | None] = dynamix.BinaryField(default=None)
    pages: dynamix.ListField[list[int]] = dynamix.ListField(of=int, default=list)
    kind: dynamix.LiteralField[Literal["new", "used"], Literal["new", "used"]] = dynamix.LiteralField(
        "new", "used", required=True
    )
    notes: dynamix.CompressedField[str, str | None] = dynamix.CompressedField(str, default=None)
    label: dynamix.ComputedField[str, str | None] = dynamix.ComputedField(str, str, "id")
    by_kind: dynamix.KeyField[str] = dynamix.KeyField("KIND#{kind}", required=True)


class Atlas(Book):
    """A model that adds a field."""

    scale: IntegerField[int] = IntegerField(required=True)


# The constructor and `create` take the fields.
book = Book(isbn="1", author="Austen", title=None, pages=3, tags={"a"})
atlas = Atlas(isbn="1", author="Austen", scale=1000)
assert_type(Book.create(isbn="1", author="Austen", reviews=[1]), Book)
assert_type(Book.create(isbn="1", author="Austen", overwrite=False), Book)
assert_type(Book.create(isbn="1", author="Austen", condition=Book.author.not_exists()), Book)
assert_type(Atlas.create(isbn="1", author="Austen", scale=5), Atlas)
Book()  # rejected: call-arg, reportCallIssue
Book(isbn="1")  # rejected: call-arg, reportCallIssue
Book(isbn=1, author="Austen")  # rejected: arg-type, reportArgumentType
Book(isbn="1", author="Austen", titel="Emma")  # rejected: call-arg, reportCallIssue
Book(isbn="1", author="Austen", pages=None)  # rejected: arg-type, reportArgumentType
Book("1", author="Austen")  # rejected: call-arg, reportCallIssue
Atlas(isbn="1", author="Austen")  # rejected: call-arg, reportCallIssue
Book.create(isbn="1", author="Austen", titel="Emma")  # rejected: call-overload, reportCallIssue
Book.create(isbn="1", author=5)  # rejected: call-overload, reportArgumentType

Copy(id=uuid.UUID(int=1), price=decimal.Decimal(1), kind="new", pages=[1])
Copy(id=uuid.UUID(int=1), price=decimal.Decimal(1), kind="lost")  # rejected: arg-type, reportArgumentType
Copy(id="1", price=decimal.Decimal(1), kind="new")  # rejected: arg-type, reportArgumentType
Copy(id=uuid.UUID(int=1), kind="new")  # rejected: call-arg, reportCallIssue

# Instances and fields are those of the plain style.
assert_type(book.isbn, str)
assert_type(book.title, str | None)
assert_type(book.pages, int)
assert_type(book.bought, datetime.datetime)
assert_type(Book.get(isbn="1"), Book | None)
field: CharField[str | None] = Book.title
book.pages = 5
book.pages = "5"  # rejected: assignment, reportAttributeAccessIssue
assert_type(Book.title.eq("x") & ~Book.pages.gt(3) | (Book.lent == True), Condition)  # noqa: E712 - a condition
Book.pages.eq("3")  # rejected: arg-type, reportArgumentType
Book.query().where(Book.pages == "3")  # rejected: arg-type, reportArgumentType
Book.query().where((Book.pages == "3") & (Book.title == "x"))  # rejected: operator, reportOperatorIssue
Book.query().where(Book.pages >= "3")  # rejected: operator, reportOperatorIssue


async def twins() -> None:
    assert_type(await Book.acreate(isbn="1", author="Austen"), Book)
    assert_type(await Book.acreate(isbn="1", author="Austen", overwrite=True), Book)
    await Book.acreate(isbn="1", author="Austen", titel="Emma")  # rejected: call-overload, reportCallIssue


class Wrong(dynamix.TypedModel):
    """An annotation says what the field is."""

    key: CharField[str] = CharField(hash_key=True)
    number: IntegerField[int] = IntegerField()  # rejected: assignment, reportAssignmentType
    text: CharField[int] = CharField(default=None)  # rejected: assignment, reportAssignmentType


class Shelf(dynamix.TypedModel):
    """A table that two models share."""

    kind: dynamix.DiscriminatorField = dynamix.DiscriminatorField()
    id: CharField[str] = CharField(hash_key=True)


class Album(Shelf):
    """One of them."""

    __discriminator__ = "album"
    artist: CharField[str] = CharField(required=True)


assert_type(Album(id="1", artist="Bach").kind, str)
Album(id="1")  # rejected: call-arg, reportCallIssue
