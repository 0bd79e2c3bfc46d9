"""Models whose constructors type checkers know.

The fields are annotated, and the same models come of it:

    class Book(TypedModel):
        isbn: CharField[str] = CharField(hash_key=True)
        title: CharField[str | None] = CharField(default=None)

    Book(isbn=3)          # a checker refuses it: not a str
    Book(titel="Emma")    # and this: no such field, and no isbn
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, dataclass_transform, overload

from dynamix.errors import ModelDefinitionError
from dynamix.expressions.nodes import Condition
from dynamix.fields import (
    AnyField,
    BinaryField,
    BooleanField,
    CharField,
    CompressedField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    EncryptedField,
    EnumField,
    FloatField,
    IntegerField,
    JSONField,
    ListField,
    LiteralField,
    ModelField,
    NestedModel,
    SetField,
    TimeDeltaField,
    TimeField,
    TTLField,
    UUIDField,
    VectorField,
    VersionField,
)
from dynamix.model.declaration import Model

P = ParamSpec("P")
M = TypeVar("M")


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        AnyField,
        BinaryField,
        BooleanField,
        CharField,
        CompressedField,
        DateField,
        DateTimeField,
        DecimalField,
        DictField,
        EncryptedField,
        EnumField,
        FloatField,
        IntegerField,
        JSONField,
        ListField,
        LiteralField,
        ModelField,
        SetField,
        TTLField,
        TimeDeltaField,
        TimeField,
        UUIDField,
        VectorField,
        VersionField,
    ),
)
class TypedModel(Model):
    """The base of models that are declared with annotations.

    A type checker then knows what the constructor and `create` take: each field by its type, those without a
    `default=` required. At run time it is a Model as any other, so a key alone makes a handle all the same.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Raises ModelDefinitionError for an annotation without a field."""
        super().__init_subclass__(**options)
        _check_annotations(cls)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a Model's own takes whatever it is given
        @classmethod
        def create(cls: Callable[P, M], /, *none: P.args, **values: P.kwargs) -> M: ...
        @overload
        @classmethod
        def create(cls, /, *, overwrite: bool | None, condition: Condition | None = None, **values: Any) -> Self: ...
        @overload
        @classmethod
        def create(cls, /, *, condition: Condition, **values: Any) -> Self: ...
        @classmethod
        def create(cls, /, *args: Any, **values: Any) -> Any: ...

        @overload  # type: ignore[override]
        @classmethod
        async def acreate(cls: Callable[P, M], /, *none: P.args, **values: P.kwargs) -> M: ...
        @overload
        @classmethod
        async def acreate(
            cls, /, *, overwrite: bool | None, condition: Condition | None = None, **values: Any
        ) -> Self: ...
        @overload
        @classmethod
        async def acreate(cls, /, *, condition: Condition, **values: Any) -> Self: ...
        @classmethod
        async def acreate(cls, /, *args: Any, **values: Any) -> Any: ...


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        AnyField,
        BinaryField,
        BooleanField,
        CharField,
        CompressedField,
        DateField,
        DateTimeField,
        DecimalField,
        DictField,
        EncryptedField,
        EnumField,
        FloatField,
        IntegerField,
        JSONField,
        ListField,
        LiteralField,
        ModelField,
        SetField,
        TTLField,
        TimeDeltaField,
        TimeField,
        UUIDField,
        VersionField,
    ),
)
class TypedNestedModel(NestedModel):
    """The base of nested models that are declared with annotations, whose constructors type checkers know."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Raises ModelDefinitionError for an annotation without a field."""
        super().__init_subclass__(**options)
        _check_annotations(cls)


def _check_annotations(cls: type) -> None:
    for name, annotation in _annotations(cls):
        if not hasattr(cls, name) and "ClassVar" not in str(annotation):
            raise ModelDefinitionError(
                f"{cls.__name__}.{name} is annotated, but no field; give it one, such as "
                f"{name}: CharField[str] = CharField(required=True)"
            )


def _annotations(cls: type) -> Iterable[tuple[str, object]]:
    """The annotations of a class's own body. What they name need not exist at run time."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.FORWARDREF).items()
    annotations: dict[str, object] = vars(cls).get("__annotations__", {})
    return annotations.items()
