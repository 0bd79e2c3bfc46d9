"""What is made of a value before it is stored, and what is checked of one that has the right type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeAlias

from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.refusals import shown

Transform: TypeAlias = Callable[[Any], Any] | Sequence[Callable[[Any], Any]]
"""One function, or several that are called one after the other, from a value to the one that is stored."""


def transformer(transform: Transform | None) -> Callable[[Any], Any] | None:
    """The transformers of a field as one function. Raises ModelDefinitionError for what is none."""
    if transform is None or callable(transform):
        return transform
    steps = tuple(transform) if isinstance(transform, Iterable) and not isinstance(transform, str) else ()
    if not steps or not all(map(callable, steps)):
        raise ModelDefinitionError(f"transform={transform!r} is neither a function nor a list of functions")

    def all_steps(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return all_steps


def function_of(option: str, function: Any) -> Any:
    """What is given for an option that is a function, or None. Raises ModelDefinitionError for anything else."""
    if function is not None and not callable(function):
        raise ModelDefinitionError(f"{option}={function!r} is no function")
    return function


def options_of(choices: Collection[Any] | None) -> tuple[Any, ...] | None:
    """The values that a field may have; None: any. Raises ModelDefinitionError for what is no list of them."""
    if choices is None:
        return None
    if isinstance(choices, str | bytes) or not isinstance(choices, Collection) or not choices:
        raise ModelDefinitionError(f"choices={choices!r} is no list of one or more values")
    return tuple(choices)


def check_choice(choices: tuple[Any, ...] | None, value: Any) -> None:
    """Refuse, by UnstorableError, a value that is not among the choices."""
    if choices is not None and value not in choices:
        raise UnstorableError(f"it is none of {', '.join(map(shown, choices))}")


def check_answer(field: object, accepted: object) -> None:
    """Refuse, by UnstorableError, what a validator refuses. Raises ModelDefinitionError for what is no answer."""
    if accepted is False:
        raise UnstorableError("its validator refuses it")
    if accepted is not None and accepted is not True:
        raise ModelDefinitionError(
            f"the validator of {field} answered {shown(accepted)}; it has to return True or False, or raise "
            "ValueError and return None: put bool(...) around the answer, or for a regular expression give pattern="
        )
