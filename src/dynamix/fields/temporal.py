"""Fields of dates and times."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.numbers import plain
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

    kind = "datetime"
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


class DateField(Field[date, T]):
    """A date, stored as ISO 8601 text."""

    kind = "date"
    key_type = "S"

    @overload
    def __init__(self: "DateField[date]", **options: Unpack[HashKey[date]]) -> None: ...
    @overload
    def __init__(self: "DateField[date]", **options: Unpack[RangeKey[date]]) -> None: ...
    @overload
    def __init__(self: "DateField[date]", **options: Unpack[Present[date]]) -> None: ...
    @overload
    def __init__(self: "DateField[date]", **options: Unpack[Defaulted[date]]) -> None: ...
    @overload
    def __init__(self: "DateField[date | None]", **options: Unpack[Options[date]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: date) -> AttributeValue:
        if isinstance(value, datetime) or not isinstance(value, date):
            raise wrong_type(value, "a date")
        return {"S": value.isoformat()}

    def from_wire(self, wire: AttributeValue) -> date:
        return date.fromisoformat(wire["S"])


class TimeField(Field[time, T]):
    """A time of day without an offset, stored as the number of seconds since midnight, exact to the microsecond."""

    kind = "plain"
    key_type = "N"

    @overload
    def __init__(self: "TimeField[time]", **options: Unpack[HashKey[time]]) -> None: ...
    @overload
    def __init__(self: "TimeField[time]", **options: Unpack[RangeKey[time]]) -> None: ...
    @overload
    def __init__(self: "TimeField[time]", **options: Unpack[Present[time]]) -> None: ...
    @overload
    def __init__(self: "TimeField[time]", **options: Unpack[Defaulted[time]]) -> None: ...
    @overload
    def __init__(self: "TimeField[time | None]", **options: Unpack[Options[time]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: time) -> AttributeValue:
        if not isinstance(value, time):
            raise wrong_type(value, "a time")
        if value.tzinfo is not None:
            raise UnstorableError("a number of seconds keeps no offset; give a time without one")
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return {"N": plain((Decimal(whole) + Decimal(value.microsecond).scaleb(-6)).normalize())}

    def from_wire(self, wire: AttributeValue) -> time:
        microseconds = Decimal(wire["N"]).scaleb(6)
        if not 0 <= microseconds < 86_400_000_000 or microseconds != microseconds.to_integral_value():
            raise UnstorableError("it is not a time of day in seconds")
        seconds, microsecond = divmod(int(microseconds), 1_000_000)
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60, microsecond)


class TimeDeltaField(Field[timedelta, T]):
    """A timedelta of whole seconds, stored as their number in a string.

    The stored texts do not sort as the values do, so this field is compared for equality only.
    """

    kind = "timedelta"
    key_type = "S"
    sorts = False

    @overload
    def __init__(self: "TimeDeltaField[timedelta]", **options: Unpack[HashKey[timedelta]]) -> None: ...
    @overload
    def __init__(self: "TimeDeltaField[timedelta]", **options: Unpack[RangeKey[timedelta]]) -> None: ...
    @overload
    def __init__(self: "TimeDeltaField[timedelta]", **options: Unpack[Present[timedelta]]) -> None: ...
    @overload
    def __init__(self: "TimeDeltaField[timedelta]", **options: Unpack[Defaulted[timedelta]]) -> None: ...
    @overload
    def __init__(self: "TimeDeltaField[timedelta | None]", **options: Unpack[Options[timedelta]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: timedelta) -> AttributeValue:
        if not isinstance(value, timedelta):
            raise wrong_type(value, "a timedelta")
        if value.microseconds:
            raise UnstorableError("it is stored in whole seconds, and would lose its fraction")
        return {"S": str(value.days * 86_400 + value.seconds)}

    def from_wire(self, wire: AttributeValue) -> timedelta:
        return timedelta(seconds=int(wire["S"]))
