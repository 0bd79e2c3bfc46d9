"""The time at which an item expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Whole
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.fields.refusals import wrong_type
from dynamix.late import later
from dynamix.wire import AttributeValue

if TYPE_CHECKING:
    from dynamix.codec import plain
else:
    later(globals(), plain="dynamix.codec.plain")

T = TypeVar("T")
Expiry: TypeAlias = datetime | timedelta | int
"""What an expiry may be given as: a time, how long from now, or seconds since 1970 (UTC)."""


class TTLField(Field[datetime, T]):
    """The time after which DynamoDB removes an item: an aware datetime in UTC, of whole seconds, stored as their number
    since 1970.

    It may be given as a datetime (one without an offset is in UTC), as a timedelta from now, or as that number. A
    default is given likewise, and counts from the moment that a new instance is made. `create_table` has the table
    heed the field.

    The service removes items some time after they expired, a few days at most. With `hide_expired=True` they are
    absent from then on, to whoever reads, changes or creates.
    """

    form = Form(
        Whole,
        "instant(v.N, UTC)",
        "type(v) is datetime and v.tzinfo is UTC and not v.microsecond",
        '{"N": str(int(v.timestamp()))}',
        {"instant": datetime.fromtimestamp, "datetime": datetime, "UTC": UTC},
        frozen=True,
    )
    key_type = "N"

    @overload
    def __init__(self: TTLField[datetime], *, hide_expired: bool = ..., **options: Unpack[Present[Expiry]]) -> None: ...
    @overload
    def __init__(
        self: TTLField[datetime | None], *, hide_expired: bool = ..., **options: Unpack[Defaulted[Expiry]]
    ) -> None: ...
    @overload
    def __init__(
        self: TTLField[datetime | None], *, hide_expired: bool = ..., **options: Unpack[Derived[Expiry]]
    ) -> None: ...
    @overload
    def __init__(
        self: TTLField[datetime | None], *, hide_expired: bool = ..., **options: Unpack[Options[Expiry]]
    ) -> None: ...
    def __init__(self, *, default: Any = None, hide_expired: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if self.hash_key or self.range_key:
            raise ModelDefinitionError("a TTLField cannot be part of the key: items would never expire later")
        self.hide_expired = hide_expired
        self._default = default  # for new items alone: what has no expiry stored never expires

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | Expiry) -> None: ...

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        try:
            match value:
                case datetime():
                    moment = value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)
                case timedelta():
                    moment = datetime.now(UTC) + value
                case int() if not isinstance(value, bool):
                    moment = datetime.fromtimestamp(value, UTC)
                case _:
                    return value
        except (OverflowError, ValueError, OSError) as error:
            raise self.refusal(value, "its year is not from 1 to 9999") from error
        return moment.replace(microsecond=0)

    def to_wire(self, value: Expiry) -> AttributeValue:
        moment = self.taken(value)
        if not isinstance(moment, datetime):
            raise wrong_type(value, "a datetime, a timedelta from now, or seconds since 1970")
        return {"N": str(int(moment.timestamp()))}

    def from_wire(self, wire: AttributeValue) -> datetime:
        try:
            return datetime.fromtimestamp(int(Decimal(wire["N"])), UTC)
        except (OverflowError, OSError) as error:
            raise UnstorableError("its year is not from 1 to 9999") from error

    @property
    def has_default(self) -> bool:
        return self._default is not None or super().has_default

    def fresh_default(self) -> Any:
        default = self._default() if callable(self._default) else self._default
        return self.taken(default)

    def default_for(self, instance: object) -> Any:
        return self.taken(super().default_for(instance))

    def when_absent(self) -> Any:
        return None

    def from_json(self, son: Any) -> datetime:
        return plain.of_text(datetime.fromisoformat, son, "a date with a time, such as '2026-03-01T12:30:00Z'")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}
