"""Instances that are stored whole, and what they keep of their items."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from dynamix.codec.compiled import ModelCodec
from dynamix.codec.state import NULL, STATE, State, Stored, as_wire, state_of, stored_of
from dynamix.codec.values import decode
from dynamix.errors import FieldNotLoadedError, InvalidUpdateError
from dynamix.fields.computed import ComputedField
from dynamix.schema.index import AnyField
from dynamix.wire import Item, SentItem

_NONE: Mapping[str, Any] = MappingProxyType({})


class Whole(Struct, frozen=True, eq=False, dict=True):
    """How instances of a model become items."""

    model_name: str
    fields: Mapping[str, AnyField]
    computed: tuple[ComputedField[Any, Any], ...]
    codec: ModelCodec[Any]

    def item(self, values: dict[str, Any], times: Mapping[str, Any] | None = None) -> Item:
        """The whole item in DynamoDB's form, every value checked. `times` take the place of values, by attribute.

        What nobody touched since it was loaded is in the form in which it is stored; lists, maps and sets that nobody
        read are not checked. Raises InvalidUpdateError where the instance lacks attributes that the item may have.
        """
        return self.codec.item(self._written(values, times), values.get(STATE))

    def kept(self, values: dict[str, Any], times: Mapping[str, Any] | None = None) -> tuple[SentItem, Stored]:
        """The same as a request has it, and what the instance keeps of the item once it is stored. Raises
        UnicodeEncodeError besides."""
        return self.codec.whole(self._written(values, times), values.get(STATE))

    def _written(self, values: dict[str, Any], times: Mapping[str, Any] | None) -> dict[str, Any]:
        """The values of an instance that is stored whole."""
        state: State | None = values.get(STATE)
        if state is not None and state.pending:
            state.pending.read_all(values, self.fields)
        for field in self._lazily_shown:
            if field.required or not stored_of(values).get(field.attribute):
                field.value_in(values)  # the default that shows is stored
        written = {**values, **times} if times else values
        if not self.fields.keys() <= written.keys():
            self._refuse_lacking(written)
        self._refuse_in_part(state)
        for field in self.computed:
            field.check_in_step(self.fields, written)
        return written

    def _refuse_lacking(self, values: dict[str, Any]) -> None:
        """Refuse to store an instance whole that lacks attributes which the item may have."""
        state: State | None = values.get(STATE)
        stored, held = stored_of(values), None if state is None else state.held
        lacking = [
            name
            for name, field in self.fields.items()
            if name not in values
            and name not in stored
            and (not field.required or (held is not None and name not in held))
        ]
        if lacking:
            raise InvalidUpdateError(
                f"this {self.model_name} was loaded without {', '.join(lacking)}, and storing it whole would "
                "remove them; get it by its key first, or change fields by set_field and commit_changes"
            )

    def _refuse_in_part(self, state: State | None) -> None:
        """Refuse to store an instance whole of which no more was asked for than what the model declares."""
        if state is not None and state.held is not None:
            raise InvalidUpdateError(
                f"this {self.model_name} was loaded without what its item may have beside these fields, and storing it "
                "whole would remove that; get it by its key first, or change fields by set_field and commit_changes"
            )

    def undeclared(self, values: dict[str, Any]) -> Mapping[str, Any]:
        """The attributes of an instance's item that the model does not declare, as Python values by stored name.

        Raises FieldNotLoadedError where the instance was loaded in part.
        """
        state = state_of(values)
        if state.held is not None:
            raise FieldNotLoadedError(
                f"this {self.model_name} was loaded in part, so nobody asked for what the model does not declare; "
                "refresh() the instance, or get the item"
            )
        if state.others is None:
            return _NONE
        return MappingProxyType({name: decode(wire, Decimal) for name, wire in self.codec.undeclared(state).items()})

    @staticmethod
    def settle(values: dict[str, Any], stored: Stored) -> None:
        """The instance was stored whole: nothing is pending any more. `stored` is what it keeps of its item."""
        before = state_of(values)
        if before.pending is not None:
            before.pending.clear()
        values[STATE] = State(stored, None, before.table, before.pending, others=before.others)
        if before.defaults:  # those that still show, since a NULL was given back
            values[STATE].defaults = {
                attribute: default
                for attribute, default in before.defaults.items()
                if as_wire(stored.get(attribute)) == NULL
            }

    @cached_property
    def _lazily_shown(self) -> tuple[AnyField, ...]:
        """Those that show a value which need not be stored, or must have one."""
        lazy = (field for field in self.fields.values() if field.own_form.lazy)
        return tuple(field for field in lazy if field.required or field.default is not None)
