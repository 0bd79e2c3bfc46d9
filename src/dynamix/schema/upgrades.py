"""Functions that make items of one version of a model those of the next.

    class User(Model):
        __schema_version__ = 2

        @upgrade(1)
        @staticmethod
        def split_name(stored: dict[str, Any]) -> None:
            stored["first"], _, stored["last"] = stored.pop("name").partition(" ")

Each is given the whole item as it is stored, as Python values by stored names, and changes that dict. Where only a part
of the item was read, the dict refuses whatever was not asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from dynamix.codec.evolving import MARK, UPGRADED, Asked
from dynamix.codec.state import Outdated
from dynamix.codec.values import UnstorableError, decode, encode
from dynamix.errors import ModelDefinitionError, StoredValueError
from dynamix.fields.base import Field
from dynamix.fields.integer import IntegerField
from dynamix.interrupts import let_pass
from dynamix.updates.plan import alike
from dynamix.wire import Item

F = TypeVar("F")


class Upgrade:
    """A function that upgrades items from a version, as it stands in the body of a model."""

    def __init__(self, version: int, reads: tuple[str, ...], function: Any) -> None:
        self.version = version
        self.reads = reads
        self.function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        setattr(owner, UPGRADED, True)

    def __get__(self, instance: object, owner: type) -> Any:
        return self.function.__get__(instance, owner)


def upgrade(version: int, *, reads: tuple[str, ...] | list[str] = ()) -> Callable[[F], F]:
    """Decorates a static or class method of a model that makes items of this version those of the next.

    It is called with a dict of what is stored: Python values by stored names, numbers as int or Decimal. It changes the
    dict and returns None. A read of chosen fields asks for the attributes in `reads` as well. Raises
    ModelDefinitionError.
    """
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ModelDefinitionError(f"upgrade({version!r}): give the version that it upgrades from, an int of 1 or more")
    if isinstance(reads, str) or not all(isinstance(name, str) for name in reads):
        raise ModelDefinitionError(f"upgrade({version}, reads={reads!r}): give a list of stored names")

    def decorated(function: Any) -> Any:
        if not isinstance(function, staticmethod | classmethod):
            raise ModelDefinitionError(f"upgrade({version}) is for a @staticmethod or @classmethod, not {function!r}")
        return Upgrade(version, tuple(reads), function)

    return decorated


class Versions(Struct, frozen=True):
    """The versions of a model: the present one, the field of the attribute that tells it, and what leads there."""

    model: type
    present: int
    field: Field[Any, Any]
    steps: Mapping[int, Upgrade]

    @property
    def reads(self) -> frozenset[str]:
        """What the functions read of items, as far as they say it."""
        return frozenset(name for step in self.steps.values() for name in step.reads)

    def upgraded(self, item: Item, asked: Asked, fixed: frozenset[str]) -> tuple[Item, Outdated]:
        """The item as the present version has it, and what is stored of all that differs. What is `fixed` stays.

        Raises StoredValueError.
        """
        version, name = self._version(item), self.field.name
        if version == self.present:
            return item, {}
        if asked is not None and name not in asked:
            raise self._refusal(
                f"was read without {name!r}, so nobody knows of which version it is: an index has to hold it (one "
                "that is made now does) or to be read with requery_for_all_projections=True, a statement to select it"
            )
        read = {n: decode(wire, Decimal) for n, wire in item.items() if n != name}
        values = _Stored(read, asked)
        for number in range(version, self.present):
            self._run(number, values)
        new = self._encoded(item, read, values)
        new[name] = {"N": str(self.present)}
        outdated: Outdated = {n: item.get(n) for n in item.keys() | new.keys() if item.get(n) != new.get(n)}
        if changed := sorted(fixed & outdated.keys()):
            raise self._refusal(
                f"got another {changed[0]!r} by its upgrade, and what is part of the key or unique stays"
            )
        return new, outdated

    def _version(self, item: Item) -> int:
        form = item.get(self.field.name)
        if form is None:
            return 1
        try:
            version = int(form["N"])
        except (KeyError, ValueError):
            raise self._refusal(f"has {form!r} as its version in {self.field.name!r}, not a whole number") from None
        if version > self.present:
            raise self._refusal(
                f"is stored in version {version}, and this program knows {self.present}; a newer program wrote it: "
                "update this one"
            )
        if version < self.present and version not in self.steps:
            raise self._refusal(f"is stored in version {version}, from which no upgrade leads to {self.present}")
        return version

    def _run(self, number: int, values: "_Stored") -> None:
        step = self.steps[number]
        what = f"{self.model.__name__}.{step.name}, the upgrade from version {number},"
        try:
            result = step.__get__(None, self.model)(values)
        except _NotAskedError as error:
            raise self._refusal(
                f"was read in part, and {what} needs {error}; name it in reads= of the upgrade, or read the whole item"
            ) from error
        except Exception as error:  # whatever the user's function raises
            let_pass(error)
            raise self._refusal(f"cannot be upgraded: {what} raised {type(error).__name__}: {error}") from error
        if result is not None:
            raise ModelDefinitionError(
                f"{what} returned {result!r}; it changes the dict that it is given, returning None"
            )

    def _encoded(self, item: Item, read: Mapping[str, Any], values: "_Stored") -> Item:
        """The stored forms; of what is the same as was read, the very form."""
        new: Item = {}
        for name, value in values.stored():
            if name in read and value is read[name] and not isinstance(value, dict | list | set):
                new[name] = item[name]
                continue
            try:
                form = encode(value)
            except UnstorableError as error:
                raise self._refusal(f"cannot be upgraded: {name!r} would be {value!r}: {error}") from error
            new[name] = item[name] if alike(item.get(name), form) else form
        return new

    def _refusal(self, problem: str) -> StoredValueError:
        return StoredValueError(f"a {self.model.__name__} {problem}", field=MARK)


def versions_of(model: type, stored_names: frozenset[str]) -> Versions | None:
    """The versions that a model declares, None where it declares none. Raises ModelDefinitionError."""
    steps: dict[int, Upgrade] = {}
    for base in reversed(model.__mro__):
        own = [value for value in list(vars(base).values()) if isinstance(value, Upgrade)]
        if len({step.version for step in own}) < len(own):
            raise ModelDefinitionError(f"{base.__name__} has two upgrades from one version")
        steps |= {step.version: step for step in own}
    present = getattr(model, "__schema_version__", None)
    if present is None or isinstance(present, Field):
        if steps:
            raise ModelDefinitionError(f"{model.__name__} has upgrades but no __schema_version__; give the present one")
        return None
    if isinstance(present, bool) or not isinstance(present, int) or present < 1:
        raise ModelDefinitionError(f"{model.__name__}.__schema_version__ is {present!r}; give an int of 1 or more")
    if steps and sorted(steps) != list(range(min(steps), present)):
        known = ", ".join(map(str, sorted(steps)))
        raise ModelDefinitionError(
            f"{model.__name__} is in version {present} and has upgrades from {known}; there has to be one from each "
            "version up to the one before the present"
        )
    name = getattr(model, "__schema_version_name__", "schema_version")
    if not isinstance(name, str) or not name or name in stored_names:
        raise ModelDefinitionError(
            f"{model.__name__} keeps its version in the attribute {name!r}, which has to be a str, and no field's; "
            "give another __schema_version_name__"
        )
    field: IntegerField[int] = IntegerField(name=name, required=True)
    field.__set_name__(model, MARK)
    return Versions(model, present, field, steps)


class _NotAskedError(Exception):
    """Something was looked for in an item that was not asked for."""


class _Stored(dict[str, Any]):
    """What is stored of an item. Of an item that was read in part, what was not asked for is refused."""

    def __init__(self, values: dict[str, Any], asked: Asked) -> None:
        super().__init__(values)
        self._asked = asked

    def stored(self) -> Iterator[tuple[str, Any]]:
        """All that there is, without a look at what was asked for."""
        return iter(dict(super().items()).items())

    def _look(self, name: object) -> None:
        if self._asked is not None and name not in self._asked and not super().__contains__(name):
            raise _NotAskedError(repr(name))

    def _refuse_all(self) -> None:
        if self._asked is not None:
            raise _NotAskedError("all attributes")

    def __getitem__(self, name: str) -> Any:
        self._look(name)
        return super().__getitem__(name)

    def __delitem__(self, name: str) -> None:
        self._look(name)
        super().__delitem__(name)

    def __contains__(self, name: object) -> bool:
        self._look(name)
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._look(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self._look(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        self._look(name)
        return super().setdefault(name, default)

    def __iter__(self) -> Iterator[str]:
        self._refuse_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._refuse_all()
        return super().__len__()

    def __reversed__(self) -> Iterator[str]:
        self._refuse_all()
        return super().__reversed__()

    def __or__(self, other: Any) -> Any:
        self._refuse_all()
        return super().__or__(other)

    def __ror__(self, other: Any) -> Any:
        self._refuse_all()
        return super().__ror__(other)

    def __eq__(self, other: object) -> bool:
        self._refuse_all()
        return super().__eq__(other)

    def keys(self) -> Any:
        self._refuse_all()
        return super().keys()

    def values(self) -> Any:
        self._refuse_all()
        return super().values()

    def items(self) -> Any:
        self._refuse_all()
        return super().items()

    def copy(self) -> dict[str, Any]:
        self._refuse_all()
        return super().copy()

    def clear(self) -> None:
        self._refuse_all()
        super().clear()

    def popitem(self) -> tuple[str, Any]:
        self._refuse_all()
        return super().popitem()
