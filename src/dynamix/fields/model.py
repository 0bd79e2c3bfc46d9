"""Models inside models.

A value is an instance of a class that has fields of its own (see `dynamix.fields.kinds`), stored as a map with an
attribute for each. Of these fields a ModelField has its own, which name themselves by their place: `User.address.city`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form
from dynamix.codec.records import tagged
from dynamix.codec.state import NULL
from dynamix.codec.values import UnstorableError
from dynamix.conditions import deeper
from dynamix.errors import (
    FieldValidationException,
    InvalidQueryError,
    ModelDefinitionError,
    StoredValueError,
    all_wrong,
    unknown,
)
from dynamix.expressions.nodes import Path
from dynamix.fields.base import Field
from dynamix.fields.char import CharField
from dynamix.fields.element import Element, Part
from dynamix.fields.kinds import Kind, is_kind, kind_of
from dynamix.fields.nested import NestedModel
from dynamix.fields.objects import object_schema
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.fields.refusals import shown, wrong_type
from dynamix.interrupts import let_pass
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")
N = TypeVar("N", bound=NestedModel)
Fields = dict[str, Field[Any, Any]]

_making: ContextVar[tuple[type, ...]] = ContextVar("making", default=())
"""The classes for which a field is being made, so that one that holds itself is noticed."""


class ModelField(Field[V, T]):
    """An instance of a NestedModel, a dataclass, an attrs class, a pydantic model or a msgspec Struct, stored as a map.

    `User.address["city"]` and `User.address.city` are what is inside, for conditions and changes. Of several classes,
    `ModelField(Card, Bank, tag="kind")`, the attribute that `tag` names tells which one a map is of.
    """

    form = Form(lazy=True)  # that of an instance knows its classes
    sorts = False
    whole = True

    @overload
    def __init__(
        self: ModelField[V, V], *kinds: type[V], tag: str | None = ..., lazy: bool = ..., **options: Unpack[Present[V]]
    ) -> None: ...
    @overload
    def __init__(
        self: ModelField[V, V],
        *kinds: type[V],
        tag: str | None = ...,
        lazy: bool = ...,
        **options: Unpack[Derived[V]],
    ) -> None: ...
    @overload
    def __init__(
        self: ModelField[V, V | None],
        *kinds: type[V],
        tag: str | None = ...,
        lazy: bool = ...,
        **options: Unpack[Options[V]],
    ) -> None: ...
    @overload
    def __init__(
        self: ModelField[V, V],
        *kinds: type[V],
        tag: str | None = ...,
        lazy: bool = ...,
        **options: Unpack[Defaulted[V]],
    ) -> None: ...
    def __init__(self, *kinds: Any, tag: str | None = None, lazy: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.eager = not lazy
        self._tag = tag
        self._kinds = _kinds(kinds)
        if (tag is None) != (len(self._kinds) == 1) or (tag is not None and (not isinstance(tag, str) or not tag)):
            raise ModelDefinitionError(
                f"a ModelField of {len(self._kinds)} classes has tag={tag!r}; of several, tag= names the attribute "
                "that tells which one a map is of, of a single one there is none"
            )
        self._tags = {} if tag is None else _tags(self._kinds, tag)
        self._mark = CharField(read_only=True)
        self._mark.__set_name__(type(self), tag or "")
        self._mark.name = _stored_name(self._kinds, tag or "")
        self._place_parts()
        self.form = self._form_of_all()

    def __set_name__(self, owner: type, attribute: str) -> None:
        super().__set_name__(owner, attribute)
        self._place_parts()

    def place(self, attribute: str, shown_as: str) -> None:
        super().place(attribute, shown_as)
        self._place_parts()

    def _place_parts(self) -> None:
        """Have the fields of the classes stand inside this one."""
        self._parts: dict[type, Fields] = {
            kind.of: {name: self._placed(name, field) for name, field in kind.fields.items()}
            for kind in self._kinds.values()
        }
        merged: dict[str, Field[Any, Any] | None] = {}
        for parts in self._parts.values():
            for name, field in parts.items():
                other = merged.get(name, field)
                merged[name] = field if other is not None and _alike(field, other) else None
        if self._tag is not None:
            merged[self._tag] = self._placed(self._tag, self._mark)
        self._merged = merged
        self._by_name = {part.name: part for part in merged.values() if part is not None}
        self._part_names = frozenset(merged)
        needed = (part.name for part in self._by_name.values() if part.required and part.default is None)
        self._needs = frozenset(needed if self._tag is None else (self._mark.name,))

    def _placed(self, name: str, field: Field[Any, Any]) -> Field[Any, Any]:
        return field.placed(f"{self.attribute}.{name}", f"{self}.{name}")

    def _form_of_all(self) -> Form:
        if self._tag is None:
            ((kind),) = self._kinds.values()
            return kind.form()
        forms = {tag: (kind.of, kind.form(), self._tag in kind.fields) for tag, kind in self._tags.items()}
        return tagged(forms, self._mark.name)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # of a NestedModel it is the class, on which its fields are found
        def __get__(self: ModelField[N, Any], instance: None, owner: type[Any]) -> type[N]: ...
        @overload
        def __get__(self, instance: None, owner: type[Any]) -> ModelField[V, T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...

    def __getitem__(self, part: str) -> Element:
        return self._element_at(self._path(), part)

    def __getattr__(self, name: str) -> Element:
        """What is inside, of a name that no attribute of fields has."""
        if name.startswith("_") or name not in vars(self).get("_part_names", ()):
            raise AttributeError(f"{self} has no attribute {name!r}", name=name)
        return self[name]

    def _inside(self, part: str | int) -> Field[Any, Any] | None:
        return self._by_name.get(part) if isinstance(part, str) else None

    def _element_at(self, path: Path, part: str | int) -> Element:
        if not isinstance(part, str):
            raise InvalidQueryError(f"{self} is a {type(self).__name__}, which has no element {part!r}")
        if part in self._merged:
            field = self._merged[part]
        elif part in self._by_name:
            field = self._by_name[part]
        else:
            raise unknown(part, f"{self} has no field", self._merged)
        if field is not None:
            return Part(deeper(path, field.name), field)
        names = {fields[part].name for fields in self._parts.values() if part in fields}
        if len(names) > 1:
            raise InvalidQueryError(
                f"the {part} of {self} is stored as {' or '.join(map(repr, sorted(names)))}, as its class has it; give "
                "it one name in all classes, or compare instances whole"
            )
        return Element(deeper(path, *names), None, self)

    def _parts_of(self, value: object) -> dict[str, Any]:
        kind = self._kind_of_value(value)
        mark = {} if self._tag is None or self._tag in kind.fields else {self._tag: kind.tag(self._tag)}
        return {**mark, **self._parts[kind.of]}

    @property
    def respells(self) -> bool:
        return True

    @property
    def transforms_parts(self) -> bool:
        parts = [part for fields in self._parts.values() for part in fields.values()]
        return any(part.transform is not None or part.transforms_parts for part in parts)

    @property
    def _lax(self) -> bool:
        return super().constrained

    @property
    def constrained(self) -> bool:
        inside = any(field.required or field.constrained for field in self._fields())
        return inside or any(kind.checks for kind in self._kinds.values()) or super().constrained

    def _fields(self) -> Iterator[Field[Any, Any]]:
        return (field for parts in self._parts.values() for field in parts.values())

    def check(self, value: Any) -> None:
        kind = self._kind_of_value(value)
        wrong = self._wrong(kind, value)
        if wrong:
            raise all_wrong(wrong)
        if kind.check is not None:
            self._check_by_class(kind.check, value)

    def _wrong(self, kind: Kind, value: object) -> list[FieldValidationException]:
        """What is wrong with the parts of a value, checked in every way."""
        errors = []
        for name, field in self._parts[kind.of].items():
            held = getattr(value, name, None)
            try:
                if held is None or held == frozenset():
                    self._check_absent(kind, field, held)
                else:
                    field.encode(held)
            except FieldValidationException as error:
                errors.append(error)
        return errors

    def _check_by_class(self, check: Callable[[Any], object], value: object) -> None:
        """Refuse what the class itself does, as it would when the value is read."""
        try:
            check(value)
        except Exception as error:
            let_pass(error)
            found = getattr(error, "errors", None)  # of pydantic
            told: Any = found() if callable(found) else [{"loc": (), "msg": str(error)}]
            wrong = [self._part_refusal(one.get("loc", ()), one.get("input", value), one["msg"]) for one in told]
            raise all_wrong(wrong) from error

    def _part_refusal(self, place: tuple[Any, ...], value: object, reason: str) -> FieldValidationException:
        inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
        return FieldValidationException(
            f"{self}{inside} cannot hold {shown(value)}: {reason}",
            field=f"{self.attribute}{inside}",
            value=value,
            reason=reason,
        )

    def to_wire(self, value: V) -> AttributeValue:
        kind = self._kind_of_value(value)
        item: dict[str, AttributeValue] = {}
        if self._tag is not None and self._tag not in kind.fields:
            item[self._mark.name] = {"S": kind.tag(self._tag)}
        try:
            for name, field in self._parts[kind.of].items():
                held = getattr(value, name, None)
                if held is None or held == frozenset():
                    self._check_absent(kind, field, held)
                    if held is None and field.null:
                        item[field.name] = NULL
                else:
                    item[field.name] = field._literal(held)
        except FieldValidationException as error:
            raise all_wrong(self._wrong(kind, value) or [error]) from error
        return {"M": item}

    def _kind_of_value(self, value: object) -> Kind:
        """The class of a value. Raises UnstorableError for an instance of another, be it derived from one of these."""
        kind = self._kinds.get(type(value))
        if kind is None:
            raise wrong_type(value, f"an instance of {' or '.join(kind.__name__ for kind in self._kinds)}")
        return kind

    @staticmethod
    def _check_absent(kind: Kind, field: Field[Any, Any], held: object) -> None:
        """Refuse to leave out what could then not be read back, or would be read back as something else."""
        if field.required:
            raise field._missing()
        if held is not None and kind.making != "dict" and field.when_absent() != held:
            raise field.refusal(held, "an empty set is not stored, and would read back as None; give None")

    def from_wire(self, wire: AttributeValue) -> V:
        stored = wire["M"]
        kind = self._kind_of(stored)
        values: dict[str, Any] = {}
        for name, field in self._parts[kind.of].items():
            form = stored.get(field.name)
            value = None if form is None else field.decode(form)
            if value is None and field.default is not None and not (form is not None and field.null):
                value = field.when_absent()
            if value is None and field.required:
                raise StoredValueError(
                    f"{field}: the stored map has no value for it, and it is required; store one, or give the field a "
                    "default",
                    field=field.attribute,
                    value=wire,
                )
            values[name] = value
        try:
            made: V = kind.make(values)
        except Exception as error:
            let_pass(error)
            raise StoredValueError(
                f"{self}: {kind.of.__name__} refuses the stored value {shown(wire)}: {error}",
                field=self.attribute,
                value=wire,
            ) from error
        return made

    def to_json(self, value: V) -> Any:
        if type(value) not in self._kinds:
            return super().to_json(value)
        shown: dict[str, Any] = {}
        for name, part in self._parts_of(value).items():
            if isinstance(part, str):
                shown[name] = part
            elif not part.hidden:
                held = getattr(value, name, None)
                shown[name] = None if held is None else part.to_json(held)
        return shown

    def from_json(self, son: Any) -> V:
        kind = self._kind_of_json(son)
        parts = self._parts[kind.of]
        values: dict[str, Any] = {}
        errors: list[FieldValidationException] = []
        for name in sorted(son.keys() - parts.keys() - {self._tag}):
            errors.append(self._part_refusal((name,), son[name], f"{kind.of.__name__} has no such attribute"))
        for name, field in parts.items():
            try:
                value = field.taken(field.read_json(son.get(name)))
                if value is None and not (name in son and field.null):
                    value = field.fresh_default()
                values[name] = value
                if field.required or not (value is None or value == frozenset()):
                    field.encode(value)
            except FieldValidationException as error:
                errors.append(error)
        if errors:
            raise all_wrong(errors)
        try:
            made: V = kind.make(values)
        except Exception as error:
            let_pass(error)
            raise UnstorableError(f"{kind.of.__name__} refuses it: {error}") from error
        return made

    def json_schema(self) -> dict[str, Any]:
        described = []
        for kind in self._kinds.values():
            schema = object_schema(kind.of, self._parts[kind.of], "validation")
            if self._tag is not None:
                schema["properties"] |= {self._tag: {"const": kind.tag(self._tag)}}
                schema["required"] = list(dict.fromkeys([self._tag, *schema.get("required", ())]))
            described.append(schema)
        return described[0] if self._tag is None else {"oneOf": described}

    def _kind_of_json(self, son: Any) -> Kind:
        """The class that an object of JSON is of. Raises UnstorableError."""
        if not isinstance(son, dict):
            raise wrong_type(son, "an object")
        if self._tag is None:
            (kind,) = self._kinds.values()
            return kind
        found = self._tags.get(son.get(self._tag, ""))
        if found is None:
            raise UnstorableError(f"its {self._tag} is none of {', '.join(map(repr, self._tags))}")
        return found

    def _kind_of(self, stored: dict[str, AttributeValue]) -> Kind:
        """The class of a stored map. Raises StoredValueError where its tag is none of those that are known."""
        if self._tag is None:
            (kind,) = self._kinds.values()
            return kind
        form = stored.get(self._mark.name, {})
        found = self._tags.get(form.get("S", ""))
        if found is None:
            tags = ", ".join(map(repr, self._tags))
            what = f"the stored tag is {form['S']!r}" if "S" in form else "the stored map has no such tag"
            raise StoredValueError(
                f"{self}.{self._tag}: {what}, and the classes of the field are {tags}; add the class that it "
                "stands for, or store another value",
                field=f"{self.attribute}.{self._tag}",
                value={"M": stored},
            )
        return found


def _kinds(classes: tuple[Any, ...]) -> dict[type, Kind]:
    """What is known of each class. Raises ModelDefinitionError."""
    kinds = {}
    for model in classes:
        if model in _making.get():
            raise ModelDefinitionError(f"{model.__name__} holds itself; what is nested without end is a DictField")
        if not is_kind(model):
            raise ModelDefinitionError(
                f"{model!r} is no class that a ModelField holds; give a NestedModel, a dataclass, an attrs class, "
                "a pydantic model or a msgspec Struct"
            )
        token = _making.set((*_making.get(), model))
        try:
            kinds[model] = kind_of(model)
        finally:
            _making.reset(token)
    return kinds


def _tags(kinds: dict[type, Kind], attribute: str) -> dict[str, Kind]:
    """The classes by their tags. Raises ModelDefinitionError where two have the same."""
    tags: dict[str, Kind] = {}
    for kind in kinds.values():
        tag = kind.tag(attribute)
        if tag in tags:
            raise ModelDefinitionError(
                f"{tags[tag].of.__name__} and {kind.of.__name__} are both told by the tag {tag!r}; give one of them a "
                "__tag__ of its own"
            )
        tags[tag] = kind
    return tags


def _stored_name(kinds: dict[type, Kind], attribute: str) -> str:
    """Under which name the tag is stored. Raises ModelDefinitionError where the classes have several."""
    names = {kind.fields[attribute].name for kind in kinds.values() if attribute in kind.fields} or {attribute}
    if len(names) > 1:
        raise ModelDefinitionError(
            f"the tag {attribute!r} is stored as {' and '.join(sorted(names))}; give it one name"
        )
    return names.pop()


def _alike(field: Field[Any, Any], other: Field[Any, Any]) -> bool:
    """Whether two classes store an attribute under one name and in one way."""
    return field is other or (type(field) is type(other) and field.name == other.name and field.form == other.form)
