"""Dates with a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.expressions.nodes import Comparator
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


def _in_utc(moment: datetime) -> datetime:
    """A datetime in UTC; one without an offset is taken to be that."""
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)


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
    names={**_FORM.names, "in_utc": _in_utc},
)
_OFFSET = "+00:00"


class DateTimeField(Field[datetime, T]):
    """A datetime, stored as ISO 8601 text.

    One with an offset is stored in UTC, so that stored texts sort as times do. One without is stored and read back as
    it is; compared and sorted it is a time in UTC, before one with an offset that is the same time. With `utc=True` it
    is stored with an offset too, and whatever is read is in UTC. `auto_now_add` sets the time (UTC) when an item is
    created, `auto_now` at every write.
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
        **options: Unpack[HashKey[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        **options: Unpack[RangeKey[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        **options: Unpack[Present[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        **options: Unpack[Defaulted[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        utc: bool = ...,
        **options: Unpack[Options[datetime]],
    ) -> None: ...
    def __init__(
        self, *, auto_now: bool = False, auto_now_add: bool = False, utc: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        if auto_now and (self.hash_key or self.range_key):
            raise ModelDefinitionError("a key cannot have auto_now: no update can change it; give it auto_now_add")
        self.auto_now = auto_now
        self.auto_now_add = auto_now_add
        self.utc = utc
        if utc and self.form is _FORM:
            self.form = _UTC_FORM

    def to_wire(self, value: datetime) -> AttributeValue:
        if not isinstance(value, datetime):
            raise wrong_type(value, "a datetime")
        try:
            return {"S": (_in_utc(value) if self.utc or value.utcoffset() is not None else value).isoformat()}
        except OverflowError as error:
            raise UnstorableError("in UTC, in which it is stored, its year is not from 1 to 9999") from error

    def part_to_wire(self, part: Any) -> AttributeValue:
        own = type(self).to_wire is not DateTimeField.to_wire
        return self.to_wire(part) if own or not isinstance(part, str) else {"S": part}

    def from_wire(self, wire: AttributeValue) -> datetime:
        moment = datetime.fromisoformat(wire["S"])
        return _in_utc(moment) if self.utc else moment

    def _bound(self, operator: Comparator, value: datetime) -> AttributeValue:
        """A text on that side of all texts of the same time which the comparison asks for: that without an offset comes
        first, that with one last."""
        form = self._literal(value)
        if type(self).to_wire is not DateTimeField.to_wire:
            return form
        bare = form["S"].removesuffix(_OFFSET)
        return {"S": bare + _OFFSET if operator in ("<=", ">") else bare}

    @property
    def has_default(self) -> bool:
        return self.auto_now or self.auto_now_add or super().has_default

    def default_for(self, instance: object) -> Any:
        return datetime.now(UTC) if self.auto_now or self.auto_now_add else super().default_for(instance)
