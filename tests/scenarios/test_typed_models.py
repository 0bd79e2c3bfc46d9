"""Models that are declared with annotations are the same as others, and their constructors are known to checkers."""

from typing import Any, ClassVar

import pytest

import dynamix
from dynamix import CharField, IntegerField, SetField, TypedModel, fields


class Book(TypedModel):
    """A model in the annotated style."""

    isbn: CharField[str] = CharField(hash_key=True)
    title: CharField[str | None] = CharField(default=None)
    pages: IntegerField[int] = IntegerField(default=7)
    tags: SetField[set[Any]] = SetField(default=set)
    shelves: ClassVar[int] = 3


def test_the_annotated_style_makes_the_same_models(place: object) -> None:
    """What is created is what is read, by the same verbs."""
    dynamix.create_table(Book)
    made = Book.create(isbn="1", title="Emma", tags={"a"})
    assert (made.pages, made.to_son()) == (7, {"isbn": "1", "title": "Emma", "pages": 7, "tags": ["a"]})
    assert Book.get(isbn="1") == made
    Book(isbn="1").change(Book.pages.add(1)).commit_changes()
    assert Book.query().where(Book.isbn == "1", Book.pages == 8).first() == Book.get(isbn="1")


def test_an_annotation_without_a_field() -> None:
    """It would be taken for a field by a checker, so it is refused."""
    with pytest.raises(dynamix.ModelDefinitionError, match=r"Broken\.title is annotated, but no field"):

        class Broken(TypedModel):
            isbn: CharField[str] = CharField(hash_key=True)
            title: CharField[str]


def test_checkers_know_all_fields() -> None:
    """Each public class of fields is one whose `default=` a checker looks at, but those that need not be given."""
    public = {getattr(fields, name) for name in fields.__all__}
    known = {cls for cls in public if isinstance(cls, type) and issubclass(cls, fields.Field)}
    known -= {fields.Field, fields.ComputedField, fields.DiscriminatorField, fields.KeyField}
    assert set(TypedModel.__dataclass_transform__["field_specifiers"]) == known  # type: ignore[attr-defined]
