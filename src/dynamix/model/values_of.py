"""Some values of a model, as pydantic and FastAPI validate them."""

from __future__ import annotations

from typing import Any

from dynamix.errors import ModelDefinitionError
from dynamix.fields.computed import ComputedField
from dynamix.fields.objects import object_schema
from dynamix.fields.version import VersionField
from dynamix.model import sons
from dynamix.model.declaration import Model
from dynamix.model.running import schema_of
from dynamix.schema.index import AnyField


class ValuesOf:
    """What annotates a dict as values of a model: `Annotated[dict[str, Any], ValuesOf(Note, exclude=["author"])]`.

    pydantic, and with it FastAPI, validates them by the model's fields: all, or those that are included, less those
    excluded. The dict has those that were given, as Python values. With `partial=True` none has to be given, null
    stands for a value that is taken away, and what an update cannot set is left out unless it is included: the key,
    what is read-only or computed, a version, and the time of the last write.
    """

    def __init__(
        self,
        model: type[Model],
        *,
        include: sons.Fields | None = None,
        exclude: sons.Fields = (),
        partial: bool = False,
    ) -> None:
        """Raises UnknownNameError for a field that the model does not have."""
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ModelDefinitionError(f"ValuesOf takes a model, not {model!r}")
        self._schema = schema_of(model)
        self._fields = sons.chosen(self._schema, include, exclude, hidden=True)
        self._partial = partial
        if partial and include is None:
            self._fields = {name: field for name, field in self._fields.items() if not self._is_fixed(field)}

    def _is_fixed(self, field: AnyField) -> bool:
        """Whether no update sets a field."""
        itself = isinstance(field, ComputedField | VersionField) or any(
            each is field for each in self._schema.times.renewed
        )
        return itself or field.read_only or field.attribute in self._schema.key.parts

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from dynamix.model import pydantic  # which is asked for by pydantic alone

        return pydantic.of_values(self._fields, partly=self._partial)

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return object_schema(self._schema.model, self._fields, "validation", partial=self._partial)
