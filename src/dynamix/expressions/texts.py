"""The update and the condition of one request as text, within the service's limits."""

from collections.abc import Sequence

from msgspec import Struct

from dynamix.errors import InvalidQueryError, InvalidUpdateError
from dynamix.expressions.nodes import Condition
from dynamix.expressions.render import Clauses, Placeholders, render_condition, render_update
from dynamix.expressions.walk import operators, update_operators
from dynamix.limits import EXPRESSION_BYTES, EXPRESSION_OPERATORS

_SURELY_FEW = EXPRESSION_OPERATORS * len("NOT ")
"""A text of so many bytes has no operators too many."""


class Texts(Struct, frozen=True):
    """An update and a condition as text, each empty where there is none, with the names and values of both."""

    update: str
    condition: str
    placeholders: Placeholders


def written(update: Clauses | None, condition: Condition | None) -> Texts:
    """The text of an update and of a condition, whether or not the service takes so much of it."""
    placeholders = Placeholders()
    return Texts(
        "" if update is None else render_update(update, placeholders),
        "" if condition is None else render_condition(condition, placeholders),
        placeholders,
    )


def checked(condition: Condition) -> Texts:
    """The text of a condition. Raises InvalidQueryError where it is more than the service takes."""
    texts = written(None, condition)
    check_condition(condition, texts.condition)
    return texts


def condition_fits(condition: Condition, text: str) -> bool:
    """Whether the service takes a condition, of which this is the text."""
    return len(text) <= _SURELY_FEW or (len(text) <= EXPRESSION_BYTES and operators(condition) <= EXPRESSION_OPERATORS)


def update_fits(update: Clauses, text: str) -> bool:
    """Whether the service takes an update, of which this is the text."""
    return len(text) <= _SURELY_FEW or (
        len(text) <= EXPRESSION_BYTES and update_operators(update.set) <= EXPRESSION_OPERATORS
    )


def check_condition(condition: Condition, text: str) -> None:
    """Refuse a condition that is too large for one expression, of which this is the text. Raises InvalidQueryError."""
    if condition_fits(condition, text):
        return
    advice = "is_in() compares with up to 100 values at once; else read more and choose in the program"
    number = operators(condition)
    if number > EXPRESSION_OPERATORS:
        raise InvalidQueryError(
            f"the conditions have {number} operators and functions, and DynamoDB takes {EXPRESSION_OPERATORS}; {advice}"
        )
    raise InvalidQueryError(
        f"the conditions are an expression of {len(text)} bytes, and DynamoDB takes {EXPRESSION_BYTES}; {advice}"
    )


def too_large(fields: Sequence[str], text: str) -> InvalidUpdateError:
    """The error for an update of these fields that is too large for one expression, of which this is the text."""
    named = ", ".join(fields[:3]) + (", ..." if len(fields) > 3 else "")
    return InvalidUpdateError(
        f"the changes of {len(fields)} fields ({named}) make an expression of {len(text)} bytes; a request takes "
        f"{EXPRESSION_BYTES} bytes and {EXPRESSION_OPERATORS} operators: commit some of them first"
    )
