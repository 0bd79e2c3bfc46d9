"""Dates with a time."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.expressions.nodes import Comparator
from dynamix.fields.bounded import Bounded
from dynamix.fields.moments import Functions, Name, in_utc, moments
from dynamix.fields.options import (
    BoundedDefaulted,
    BoundedDerived,
    BoundedHashKey,
    BoundedOptions,
    BoundedPresent,
    BoundedRangeKey,
)
from dynamix.fields.refusals import wrong_type
from dynamix.late import later
from dynamix.wire import AttributeValue

if TYPE_CHECKING:
    from dynamix.codec import plain
else:
    later(globals(), plain="dynamix.codec.plain")

T = TypeVar("T")


_FORM = Form(
    Text,
    "moment(v.S)",
    "type(v) is datetime and (v.tzinfo is None or v.tzinfo is UTC)",
    '{"S": v.isoformat()}',
    {"moment": datetime.fromisoformat, "datetime": datetime, "UTC": UTC},
    frozen=True,
)
_UTC_FORM = _FORM._replace(
    read="at if (at := moment(v.S)).tzinfo is UTC else in_utc(at)",
    when="type(v) is datetime and v.tzinfo is UTC",
    names={**_FORM.names, "in_utc": in_utc},
)
_OFFSET = "+00:00"


class DateTimeField(Bounded[datetime, T]):
    """A datetime, stored as ISO 8601 text.

    One with an offset is stored in UTC, so that stored texts sort as times do. One without is stored and read back as
    it is; compared and sorted it is a time in UTC, before one with an offset that is the same time. With `utc=True` it
    is stored with an offset too, and whatever is read is in UTC. `stored` names another form, as other programs have it
    (see `dynamix.fields.moments`), or gives two functions that write and read one. `auto_now_add` sets the time (UTC)
    when an item is created, `auto_now` at every write.
    """

    form = _FORM
    key_type = "S"

    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedHashKey[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedRangeKey[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedPresent[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedDefaulted[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedDerived[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: Literal[True],
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedOptions[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: Literal[True],
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedOptions[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        stored: Name | Functions | None = ...,
        **options: Unpack[BoundedOptions[datetime]],
    ) -> None: ...
    def __init__(
        self,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        utc: bool = False,
        stored: Name | Functions | None = None,
        **options: Any,
    ) -> None:
        self.utc = utc
        self.stored = None if stored is None else moments(stored)
        if self.stored is not None:
            if utc:
                raise ModelDefinitionError("utc=True is a stored form of its own; leave it out, or stored=")
            self.key_type, self.sorts = self.stored.tag, self.stored.sorts
        super().__init__(**options)
        if auto_now and (self.hash_key or self.range_key):
            raise ModelDefinitionError("a key cannot have auto_now: no update can change it; give it auto_now_add")
        self.auto_now = auto_now
        self.auto_now_add = auto_now_add
        if self.form is _FORM and self.stored is not None:
            self.form = self.stored.form
        elif self.form is _FORM and utc:
            self.form = _UTC_FORM

    def taken(self, value: Any) -> Any:
        value = value if self.transform is None else super().taken(value)
        if not isinstance(value, datetime) or value.tzinfo is UTC or type(self).to_wire is not DateTimeField.to_wire:
            return value
        if value.utcoffset() is None:
            return value.replace(tzinfo=UTC) if self._aware else value
        with suppress(OverflowError):  # which the checks tell of
            return value.astimezone(UTC) if self.stored is None or self.stored.in_utc else value
        return value

    @property
    def takes(self) -> bool:
        return True

    @property
    def _aware(self) -> bool:
        """Whether what is read always has an offset."""
        return self.utc or self.stored is not None

    def to_wire(self, value: datetime) -> AttributeValue:
        if not isinstance(value, datetime):
            raise wrong_type(value, "a datetime")
        try:
            if self.stored is not None:
                return {self.stored.tag: self.stored.exact(value)}
            return {"S": (in_utc(value) if self.utc or value.utcoffset() is not None else value).isoformat()}
        except OverflowError as error:
            raise UnstorableError("in UTC, in which it is stored, its year is not from 1 to 9999") from error

    def _in_order(self, value: datetime) -> datetime:
        return in_utc(value)

    def part_to_wire(self, part: Any) -> AttributeValue:
        own = type(self).to_wire is not DateTimeField.to_wire
        return self.to_wire(part) if own or not isinstance(part, str) else {"S": part}

    def from_wire(self, wire: AttributeValue) -> datetime:
        if self.stored is not None:
            return self.stored.read(wire[self.stored.tag])
        moment = datetime.fromisoformat(wire["S"])
        return in_utc(moment) if self.utc else moment

    def _bound(self, operator: Comparator, value: datetime) -> AttributeValue:
        """A text on that side of all texts of the same time which the comparison asks for: that without an offset comes
        first, that with one last."""
        form = self._literal(value)
        if self.stored is not None or type(self).to_wire is not DateTimeField.to_wire:
            return form
        bare = form["S"].removesuffix(_OFFSET)
        return {"S": bare + _OFFSET if operator in ("<=", ">") else bare}

    @property
    def has_default(self) -> bool:
        return self.auto_now or self.auto_now_add or super().has_default

    def default_for(self, instance: object) -> Any:
        stamped = self.auto_now or self.auto_now_add
        return self.stamp(datetime.now(UTC)) if stamped else super().default_for(instance)

    def stamp(self, now: datetime) -> datetime:
        """The present time, in UTC, cut to what the stored form holds."""
        return now if self.stored is None else self.stored.kept(now)

    def from_json(self, son: Any) -> datetime:
        return plain.of_text(datetime.fromisoformat, son, "a date with a time, such as '2026-03-01T12:30:00Z'")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}
