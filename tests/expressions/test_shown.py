"""Conditions as people read them."""

import pytest

import dynamix
from dynamix.expressions.nodes import Compare, Condition, Path, Size, Value
from dynamix.expressions.shown import shown_condition, shown_value


class Page(dynamix.Model):
    """Fields whose stored names are others."""

    url = dynamix.CharField(hash_key=True, name="u")
    views = dynamix.IntegerField(name="v")
    title = dynamix.CharField()
    words = dynamix.DictField()
    tags = dynamix.SetField()


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Page.views == 1, "Page.views = 1"),
        ((Page.views >= 1) & Page.title.not_exists(), "Page.views >= 1 AND attribute_not_exists(Page.title)"),
        (
            ~((Page.url == "a") | Page.title.begins_with("b'")),
            """NOT (Page.url = 'a' OR begins_with(Page.title, "b'"))""",
        ),
        (Page.views.between(1, 2), "Page.views BETWEEN 1 AND 2"),
        (Page.title.is_in(["a", "b"]), "Page.title IN ('a', 'b')"),
        (Page.tags.contains("x"), "contains(Page.tags, 'x')"),
        (Page.words["the"] > 2, "Page.words.the > 2"),
        (Compare("=", Size(Path(("l", 3, "m"))), Value({"N": "1"})), "size(l[3].m) = 1"),
    ],
)
def test_a_condition_shows_names_and_values(condition: Condition, text: str) -> None:
    """Fields stand for their stored names, values are written out, operators are the request's."""
    assert shown_condition(condition) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"S": "a'b"}, '"a\'b"'),
        ({"N": "1.50"}, "1.50"),
        ({"BOOL": True}, "true"),
        ({"BOOL": False}, "false"),
        ({"NULL": True}, "null"),
        ({"B": "/w=="}, "binary '/w=='"),
        ({"L": [{"N": "1"}, {"M": {"k": {"S": "v"}}}]}, "[1, {'k': 'v'}]"),
        ({"SS": ["a", "b"]}, "{'a', 'b'}"),
        ({"NS": ["1", "2"]}, "{1, 2}"),
        ({"S": "x" * 1000}, "'" + "x" * 99 + "..."),
    ],
)
def test_a_value_is_shown_by_its_type(value: dict[str, object], text: str) -> None:
    """Each type has a form of its own, and a long value is cut."""
    assert shown_value(value) == text
