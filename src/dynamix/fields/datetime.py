"""Dates with a time."""

from datetime import UTC, datetime
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Defaulted, Field, HashKey, Options, Present, RangeKey, wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class DateTimeField(Field[datetime, T]):
    """A datetime, stored as ISO 8601 text.

    One with an offset is stored and read back in UTC, so that stored texts sort as times do; one without is kept as it
    is. Do not mix the two in a field that is compared or indexed. `auto_now_add` sets the time (UTC) when an item is
    created, `auto_now` at every write.
    """

    form = Form(
        Text,
        "datetime.fromisoformat(v.S)",
        "type(v) is datetime and (v.tzinfo is None or v.tzinfo is UTC)",
        '{"S": v.isoformat()}',
        {"datetime": datetime, "UTC": UTC},
        spelled=True,
    )
    key_type = "S"

    @overload
    def __init__(
        self: "DateTimeField[datetime]",
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        **options: Unpack[HashKey[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: "DateTimeField[datetime]",
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        **options: Unpack[RangeKey[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: "DateTimeField[datetime]",
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        **options: Unpack[Present[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: "DateTimeField[datetime]",
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        **options: Unpack[Defaulted[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: "DateTimeField[datetime | None]",
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        **options: Unpack[Options[datetime]],
    ) -> None: ...
    def __init__(self, *, auto_now: bool = False, auto_now_add: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if auto_now and (self.hash_key or self.range_key):
            raise ModelDefinitionError("a key cannot have auto_now: no update can change it; give it auto_now_add")
        self.auto_now = auto_now
        self.auto_now_add = auto_now_add

    def to_wire(self, value: datetime) -> AttributeValue:
        if not isinstance(value, datetime):
            raise wrong_type(value, "a datetime")
        try:
            return {"S": (value if value.utcoffset() is None else value.astimezone(UTC)).isoformat()}
        except OverflowError as error:
            raise UnstorableError("in UTC, in which it is stored, its year is not from 1 to 9999") from error

    def from_wire(self, wire: AttributeValue) -> datetime:
        return datetime.fromisoformat(wire["S"])

    @property
    def has_default(self) -> bool:
        return self.auto_now or self.auto_now_add or super().has_default

    def default_for(self, instance: object) -> Any:
        return datetime.now(UTC) if self.auto_now or self.auto_now_add else super().default_for(instance)
