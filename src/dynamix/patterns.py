"""Named access patterns: the queries and scans that a program makes of a table, told without sending anything.

    class Order(Model):
        @classmethod
        @access_pattern
        def of_customer(cls, customer_id: str) -> Query[Self]: ...

A pattern is called with an example of each argument: one that is given to the decorator, the parameter's default, or
one that fits its annotation.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, overload
from uuid import UUID

from msgspec import Struct

from dynamix.errors import ModelDefinitionError, UnknownNameError, ValidationException, WrongTypeError
from dynamix.explanation import Explanation
from dynamix.interrupts import let_pass
from dynamix.matches import Matches
from dynamix.schema.describe import schema_of

F = TypeVar("F", bound=Callable[..., Matches[Any]])

_MARK = "_dynamix_example"

_SAMPLES: dict[Any, Any] = {
    int: 1,
    float: 1.0,
    bool: True,
    bytes: b"\0",
    Decimal: Decimal(1),
    date: date(2026, 1, 1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    time: time(12),
    timedelta: timedelta(hours=1),
    UUID: UUID(int=0),
}


class AccessPattern(Struct, frozen=True):
    """One access pattern of a model. `str()` of it is for people.

    `parameters` are the names of its arguments, `description` the first line of what its docstring says. `operation`,
    `index`, `key_condition`, `units` and the rest of what it would do are in `explanation`.
    """

    model: str
    name: str
    parameters: tuple[str, ...]
    description: str
    explanation: Explanation

    @property
    def operation(self) -> str:
        """ "Query" or "Scan"."""
        return self.explanation.operation

    @property
    def index(self) -> str | None:
        """The index that it reads, None for the table itself."""
        return self.explanation.index

    @property
    def key_condition(self) -> str | None:
        """What chooses by key, with examples as values; None for a scan."""
        return self.explanation.key_condition

    @property
    def units(self) -> tuple[float, float] | None:
        """The read units that reading everything takes at least and at most; None where the table is not known."""
        return self.explanation.units

    def __str__(self) -> str:
        head = f"{self.model}.{self.name}({', '.join(self.parameters)})"
        return "\n".join([head, *([f"  {self.description}"] if self.description else []), f"  {self.explanation}"])


@overload
def access_pattern(function: F, /) -> F: ...
@overload
def access_pattern(function: None = None, /, **example: Any) -> Callable[[F], F]: ...
def access_pattern(function: Any = None, /, **example: Any) -> Any:
    """Makes a class method, which returns a query or a scan, one of the model's access patterns; it stands below
    `@classmethod`.

    `Model.access_patterns()` lists them. `@access_pattern(state="open")` gives examples of arguments for that, where
    what fits the annotation would not do.
    """
    if function is None:
        return lambda function: _marked(function, example)
    return _marked(function, example)


def _marked(function: Any, example: dict[str, Any]) -> Any:
    if isinstance(function, classmethod):
        raise ModelDefinitionError(f"@access_pattern stands below @classmethod, not above it: {function.__func__!r}")
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        raise WrongTypeError(f"@access_pattern takes a plain function, not {function!r}", field="", value=function)
    taken = list(inspect.signature(function).parameters)[1:]
    for name in example:
        if name not in taken:
            raise UnknownNameError(f"{function.__qualname__} has no argument {name!r}, of which an example was given")
    setattr(function, _MARK, example)
    return function


def patterns_of(model: type[Any], description: Mapping[str, Any] | None) -> list[AccessPattern]:
    """The access patterns of a model, in the order of their definition; of a base, those of the models of its table as
    well. Raises ModelDefinitionError for one of which no example can be made."""
    found = list(_own(model, description))
    kinds = schema_of(model).kinds
    if kinds is not None and kinds.own is None:
        inherited = {pattern.name for pattern in found}
        for member in kinds.models.values():
            found += (pattern for pattern in _own(member, description) if pattern.name not in inherited)
    return found


def _own(model: type[Any], description: Mapping[str, Any] | None) -> Iterator[AccessPattern]:
    functions: dict[str, Callable[..., Any]] = {}
    for base in reversed(model.__mro__):
        for name, value in list(vars(base).items()):
            functions.pop(name, None)
            if isinstance(value, classmethod) and hasattr(value.__func__, _MARK):
                functions[name] = value.__func__
    for name, function in functions.items():
        yield _explained(model, name, function, description)


def _explained(
    model: type[Any], name: str, function: Callable[..., Any], description: Mapping[str, Any] | None
) -> AccessPattern:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    given, example = getattr(function, _MARK), {}
    for parameter in parameters:
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            example[parameter.name] = _sample(model, function, parameter, given)
    positional = [example.pop(p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY]
    try:
        query = function(model, *positional, **example)
        if not isinstance(query, Matches):
            raise ModelDefinitionError(
                f"{model.__name__}.{name} is an access pattern, and gives {query!r}, which is no query and no scan"
            )
        explanation = query.explain(description)
    except ModelDefinitionError:
        raise
    except ValidationException as error:
        raise ModelDefinitionError(
            f"the access pattern {model.__name__}.{name} cannot be made with the examples {example!r}: {error}; give "
            "others, as in @access_pattern(state='open')"
        ) from error
    told = inspect.getdoc(function) or ""
    return AccessPattern(model.__name__, name, tuple(p.name for p in parameters), told.partition("\n")[0], explanation)


def _sample(model: type[Any], function: Callable[..., Any], parameter: inspect.Parameter, given: Any) -> Any:
    """An example of an argument."""
    if parameter.name in given:
        return given[parameter.name]
    if parameter.default is not parameter.empty:
        return parameter.default
    annotation = parameter.annotation
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, getattr(function, "__globals__", {}))  # noqa: S307 - the program's own text
        except Exception as error:
            let_pass(error)
    try:
        return _fitting(annotation, parameter.name)
    except LookupError as error:
        raise ModelDefinitionError(
            f"no example of {parameter.name!r} is known for the access pattern {model.__name__}.{function.__name__}; "
            f"give one, as in @access_pattern({parameter.name}=...)"
        ) from error


def _fitting(annotation: Any, name: str) -> Any:
    """A value of an annotation. Raises LookupError where none is known."""
    if annotation is str:
        return f"<{name}>"
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if isinstance(annotation, NewType):
        return _fitting(annotation.__supertype__, name)
    if get_origin(annotation) is Annotated:
        return _fitting(get_args(annotation)[0], name)
    if get_origin(annotation) in (Union, UnionType):
        return _fitting(next(kind for kind in get_args(annotation) if kind is not type(None)), name)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation))
    try:
        return _SAMPLES[annotation]
    except TypeError as error:  # an annotation that cannot be looked up
        raise LookupError(name) from error
