"""What a repository hands over: instances of a class and of the model that is made of it, one for the other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from dynamix.codec.state import LACKING, NULL, as_wire, state_of, stored_of
from dynamix.errors import DynamixError, FieldNotLoadedError, InvalidUpdateError, StoredValueError, WrongTypeError
from dynamix.fields.base import Field
from dynamix.fields.computed import ComputedField
from dynamix.interrupts import let_pass
from dynamix.model.changing import assign
from dynamix.model.classes import LackingError, Stored
from dynamix.model.running import schema_of
from dynamix.wire import Flow

T = TypeVar("T")


class Exchange(Generic[T]):
    """A class whose instances are stored, and the model that stores them."""

    def __init__(self, stored: Stored, model: type[Any]) -> None:
        self.model = model
        self.of: type[T] = stored.of
        self._stored = stored

    def to_model(self, instance: T, /) -> Any:
        """A new instance of the model with the same values. Raises WrongTypeError for what is no instance of the class,
        and FieldValidationException."""
        if type(instance) is not self._stored.of:
            raise WrongTypeError(
                f"{instance!r} is a {type(instance).__name__}, and this repository stores {self._stored.of.__name__}",
                field="",
                value=instance,
            )
        schema, values = schema_of(self.model), self._stored.values(instance)
        for field in schema.computed:
            del values[field.attribute]
        editable = {field.attribute for field in schema.editable}
        return self.model(
            **{name: copy.deepcopy(value) if name in editable else value for name, value in values.items()}
        )

    def from_model(self, instance: Any, /) -> T:
        """The instance of the class that an instance of `model` stands for, as a transaction or a stream gives it.

        Raises StoredValueError where the class refuses it, and FieldNotLoadedError where it was loaded in part.
        """
        if not isinstance(instance, self.model):
            raise WrongTypeError(f"{instance!r} is no instance of this repository's model", field="", value=instance)
        schema, values = schema_of(self.model), vars(instance)
        state, stored = state_of(values), stored_of(values)
        found, nulls = {}, []
        try:
            for name, field in schema.fields.items():
                value = field.value_in(values)
                if value is LACKING and state.held is not None and name not in state.held:
                    raise self._unloaded(field)
                if value is not LACKING:
                    found[name] = value
                if value is None and field.null and as_wire(stored.get(name)) == NULL:
                    nulls.append(name)
            made: T = self._made(found, nulls)
        except StoredValueError as error:
            error.key, error.table = schema.key.names_of(values), state.table
            raise
        return made

    def _made(self, found: Mapping[str, Any], nulls: Iterable[str]) -> Any:
        """The instance of what was read. Raises StoredValueError where the class refuses it."""
        kind = self._stored.of.__name__
        try:
            return self._stored.instance(found, frozenset(nulls))
        except LackingError as error:
            name = error.args[0]
            raise StoredValueError(
                f"{kind}.{name} has no default, and the stored item lacks it; store a value, or give it a default",
                field=name,
            ) from error
        except Exception as error:
            let_pass(error)
            errors: Any = getattr(error, "errors", None)  # of pydantic, whose text has several lines
            told = [(".".join(map(str, each["loc"])), each["msg"]) for each in errors()] if callable(errors) else []
            reason = "; ".join(f"{place}: {message}" for place, message in told) or str(error)
            raise StoredValueError(
                f"{kind} refuses what is stored: {reason}", field=told[0][0] if told else "", value=dict(found)
            ) from error

    def _unloaded(self, field: Field[Any, Any]) -> FieldNotLoadedError:
        return FieldNotLoadedError(
            f"{field} was not loaded, and the class is made of whole items; leave out select(), and where an index "
            "does not hold it use get_items(requery_for_all_projections=True)"
        )

    def anew(self, instance: T) -> Any:
        """The instance of the model that is stored whatever is there, and at whatever version."""
        made, version = self.to_model(instance), schema_of(self.model).version
        if version is not None:
            vars(made)[version.attribute] = None
        return made

    def as_loaded(self, instance: T) -> Any:
        """The instance of the model as if it had been loaded. Raises FieldValidationException."""
        schema = schema_of(self.model)
        return schema.codec.reader("").instance(schema.whole.item(vars(self.to_model(instance))))

    def changed(self, instance: T, loaded: T) -> Any:
        """The instance of the model that was loaded, with the changes that make the other one of it."""
        if instance is loaded:
            raise InvalidUpdateError(
                "what is saved and what was loaded are one object, so nothing differs; change a copy of it"
            )
        schema, before = schema_of(self.model), self.as_loaded(loaded)
        values, new = vars(before), vars(self.to_model(instance))
        for name, field in schema.fields.items():
            old, value = field.value_in(values), new[name]
            if not field.differs(value, old):
                continue
            if field.hash_key or field.range_key:
                raise InvalidUpdateError(
                    f"{field} differs from that of the instance that was loaded, and no update can change a key; "
                    "create() the one and delete() the other"
                )
            if isinstance(field, ComputedField):
                continue  # which follows from what it is computed from
            if field.own_form.frozen or any(held is None or held == frozenset() for held in (value, old)):
                assign(before, field, value)
            else:
                values[name] = value  # as if it had been edited in place, so that only what differs inside is sent
        return before

    def one(self, flow: Callable[..., Flow[Any]], *, writes: bool = False) -> Callable[..., Flow[T]]:
        """A flow that gives an instance of the class where the other one gives one of the model."""
        return partial(self._told, flow, self.from_model, writes)

    def maybe(self, flow: Callable[..., Flow[Any]], *, writes: bool = False) -> Callable[..., Flow[T | None]]:
        """The same where there may be none."""
        return partial(self._told, flow, lambda found: None if found is None else self.from_model(found), writes)

    def many(self, flow: Callable[..., Flow[Any]], *, writes: bool = False) -> Callable[..., Flow[list[T]]]:
        """The same where there are several."""
        return partial(self._told, flow, lambda found: list(map(self.from_model, found)), writes)

    def none(self, flow: Callable[..., Flow[None]]) -> Callable[..., Flow[None]]:
        """The same where there is none."""
        return partial(self._told, flow, lambda found: None, True)

    def _told(self, flow: Callable[..., Flow[Any]], made: Callable[[Any], Any], writes: bool, *args: Any) -> Flow[Any]:
        """What is made of a flow's result. Its errors tell of instances of the class, too."""
        try:
            result = yield from flow(*args)
        except DynamixError as error:
            for name in ("item", "stored", "not_stored", "unknown"):
                told = getattr(error, name, None)
                if isinstance(told, tuple):
                    setattr(error, name, tuple(map(self._shown, told)))
                elif told is not None:
                    setattr(error, name, self._shown(told))
            raise
        try:
            return made(result)
        except StoredValueError as error:
            error.applied = "yes" if writes else "no"
            raise

    def _shown(self, what: Any) -> Any:
        """What an error shows of an instance of the model: one of the class, where there is one."""
        if not isinstance(what, self.model):
            return what
        try:
            return self.from_model(what)
        except StoredValueError:
            return None
