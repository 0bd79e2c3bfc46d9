"""Validators and patterns: what accepts a value, what refuses it, and what is no answer at all."""

import re
from collections.abc import Callable
from typing import Any

import pytest

import dynamix
from dynamix.fields import CharField
from dynamix.model import Model


def refuse(value: object) -> None:
    """A validator that raises."""
    if value == "bad":
        raise ValueError("it is bad")


@pytest.mark.parametrize("validator", [refuse, lambda value: value != "bad", lambda value: None])
def test_none_and_true_accept(validator: Callable[[Any], Any]) -> None:
    """A validator that answers True, or returns None without raising, accepts the value."""

    class Checked(Model):
        """One checked field."""

        key = CharField(hash_key=True, validator=validator)

    Checked(key="good").validate()


@pytest.mark.parametrize(
    ("validator", "reason"),
    [
        (refuse, "it is bad"),
        (lambda value: value != "bad", "refuses"),
        (lambda value: {"good": True}[value], "KeyError: 'bad'"),
    ],
)
def test_false_and_errors_refuse(validator: Callable[[Any], Any], reason: str) -> None:
    """A validator that answers False or raises refuses the value, with its reason."""

    class Checked(Model):
        """One checked field."""

        key = CharField(hash_key=True, validator=validator)

    with pytest.raises(dynamix.FieldValidationException, match=rf"Checked\.key .*{reason}"):
        Checked(key="bad").validate()
    assert not Checked(key="bad").is_valid()


@pytest.mark.parametrize(
    "answer", [lambda value: re.fullmatch("[a-z]+", value), len, lambda value: 0, lambda value: ""]
)
def test_any_other_answer_is_an_error(answer: Callable[[Any], Any]) -> None:
    """Another answer, such as a match, is a mistake in the model: the error names pattern= and bool()."""

    class Checked(Model):
        """One checked field."""

        key = CharField(hash_key=True, validator=answer)

    for check in (Checked(key="abc").validate, lambda: Checked.key.encode("abc")):
        with pytest.raises(dynamix.ModelDefinitionError, match=r"Checked\.key.*bool\(.*pattern="):
            check()


@pytest.mark.parametrize("pattern", ["[a-z]+", re.compile("[A-Z]+", re.IGNORECASE)])
def test_a_pattern_matches_the_whole_text(pattern: Any) -> None:
    """pattern= refuses what the expression does not match as a whole, naming it."""

    class Coded(Model):
        """One field with a pattern."""

        key = CharField(hash_key=True, pattern=pattern)

    Coded(key="abc").validate()
    for wrong in ("abc1", "1abc", "abc\n", ""):
        with pytest.raises(dynamix.FieldValidationException, match=r"Coded\.key .*pattern '\[") as caught:
            Coded(key=wrong).validate()
        assert caught.value.value == wrong


@pytest.mark.parametrize("pattern", ["[", 5, re.compile(b"x")])
def test_a_pattern_that_is_none(pattern: Any) -> None:
    """What is no regular expression of texts is refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError, match="regular expression"):
        CharField(pattern=pattern)
