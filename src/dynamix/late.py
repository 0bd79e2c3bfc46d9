"""Modules that are imported when they are used, since most programs use few, and each costs a start.

For a package there is `late`, for a module that calls others `later`.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def late(package: dict[str, Any], names: Mapping[str, tuple[str, ...]], home: str) -> Callable[[str], Any]:
    """The `__getattr__` of a package, whose variables are given, with the names of each module that is left for later.

    What is found becomes a variable of the package; classes and functions say that they are of `home`, where users find
    them.
    """
    modules = {name: module for module, of_module in names.items() for name in of_module}

    def found(name: str) -> Any:
        module = modules.get(name)
        if module is None:
            of = package["__name__"]
            raise AttributeError(f"module {of!r} has no attribute {name!r}", name=name, obj=import_module(of))
        owner = import_module(module)
        value = getattr(owner, name)  # there it may be late as well
        publish(package, vars(owner), names[module], home)
        return value

    return found


def publish(package: dict[str, Any], found: Mapping[str, Any], names: tuple[str, ...], home: str) -> None:
    """Make things variables of a package, and have them say that they are of `home`."""
    for name in names:
        if name in found:
            found[name].__module__ = home
            package[name] = found[name]


def later(variables: dict[str, Any], **modules: str) -> None:
    """Makes variables of a module, each of which stands for another module until it is used, and then is it.

    Type checkers are told by an import of the same name under TYPE_CHECKING.
    """
    for name, module in modules.items():
        variables[name] = _Later(variables, name, module)


class _Later:
    """A module that nobody has used yet."""

    __slots__ = ("_module", "_name", "_variables")

    def __init__(self, variables: dict[str, Any], name: str, module: str) -> None:
        self._variables = variables
        self._name = name
        self._module = module

    def __getattr__(self, attribute: str) -> Any:
        module = self._variables[self._name] = import_module(self._module)
        return getattr(module, attribute)
