"""The floors of the house: every import in src/dynamix points down, and none closes a circle.

All imports count: under TYPE_CHECKING, inside functions, relative ones.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

FLOORS = {
    "dynamix": 9,  # the package itself gathers the public names
    "dynamix.__main__": 9,
    "dynamix.cli": 8,
    "dynamix.contrib": 8,
    "dynamix.testing": 8,
    "dynamix.model": 7,
    "dynamix.query": 7,
    "dynamix.scan": 7,
    "dynamix.statements": 7,
    "dynamix.searching": 7,
    "dynamix.groups": 7,
    "dynamix.matches": 7,
    "dynamix.pages": 7,
    "dynamix.patterns": 7,
    "dynamix.lanes": 7,
    "dynamix.batches": 7,
    "dynamix.repositories": 7,
    "dynamix.tables": 7,
    "dynamix.together": 7,
    "dynamix.transactions": 7,
    "dynamix.connection": 6,
    "dynamix.meters": 6,
    "dynamix.rehearsal": 6,
    "dynamix.explanation": 7,
    "dynamix.context": 6,
    "dynamix.current": 6,
    "dynamix.drivers": 6,
    "dynamix.log": 6,
    "dynamix.watch": 6,
    "dynamix.transport": 5,
    "dynamix.operations": 4,
    "dynamix.conditions": 3,
    "dynamix.cursor": 3,
    "dynamix.fields": 3,
    "dynamix.narrowing": 3,
    "dynamix.parted": 3,
    "dynamix.schema": 3,
    "dynamix.seal": 3,
    "dynamix.selection": 3,
    "dynamix.unreadable": 3,
    "dynamix.updates": 3,
    "dynamix.codec": 2,
    "dynamix.expressions": 1,
    "dynamix.differences": 0,
    "dynamix.errors": 0,
    "dynamix.forks": 0,
    "dynamix.ids": 0,
    "dynamix.interrupts": 0,
    "dynamix.late": 0,
    "dynamix.limits": 0,
    "dynamix.version": 0,
    "dynamix.wire": 0,
}
ENGINE = "dynamix.engine"
ENGINE_FLOORS = (
    "engine",
    "sweeper",
    "http",
    "operations",
    "partiql",
    "requests",
    "actions",
    "storage",
    "evaluate",
    "tables",
    "vectors",
    "data",
    "broken",
    "buckets",
    "faults",
)
"""The engine's own floors, from the top."""
ENGINE_MAY_IMPORT = (
    "dynamix.expressions",
    "dynamix.errors",
    "dynamix.forks",
    "dynamix.limits",
    "dynamix.wire",
    "dynamix.codec.numbers",
    "dynamix.codec.sizes",
)
ENGINE_DOORS = ("dynamix.transport.embedded", "dynamix.cli.serve")


def within(module: str, package: str) -> bool:
    """Whether a module is the package or lies in it."""
    return module == package or module.startswith(package + ".")


def floor(module: str) -> int | None:
    """The floor of a module, or None where no floor is known."""
    if module == "dynamix":
        return FLOORS["dynamix"]
    return next((FLOORS[name] for name in FLOORS if name != "dynamix" and within(module, name)), None)


def engine_floor(module: str) -> int:
    """The place of a module of the engine among its floors, counted from the top; the package itself stands above."""
    parts = module.split(".")
    return ENGINE_FLOORS.index(parts[2]) if len(parts) > 2 else -1


def module_of(path: Path) -> str:
    """The dotted name of a file under src."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted((SOURCE / "dynamix").rglob("*.py"))}


def imports(module: str, path: Path) -> Iterator[str]:
    """Every module of dynamix that a module imports, as far as the name leads to a file."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                wanted = [name.name for name in names]
            case ast.ImportFrom(origin, names, level):
                base = ".".join(package.split(".")[: len(package.split(".")) - level + 1]) if level else ""
                start = ".".join(filter(None, (base, origin)))
                wanted = [f"{start}.{name.name}" for name in names]
            case _:
                continue
        for name in wanted:
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            if name and name != module:
                yield name


IMPORTS = {module: sorted(set(imports(module, path))) for module, path in MODULES.items()}


def objection(module: str, imported: str) -> str | None:
    """Why a module may not import another, or None where it may."""
    if within(module, ENGINE):
        if within(imported, ENGINE):
            own, other = engine_floor(module), engine_floor(imported)
            return f"{module} imports {imported}, which stands above it" if own > other else None
        if any(within(imported, name) for name in ENGINE_MAY_IMPORT):
            return None
        return f"{module} imports {imported}: the engine knows floors 0 and 1, codec.numbers and codec.sizes only"
    if within(imported, ENGINE):
        return None if module in ENGINE_DOORS else f"{module} imports {imported}: the doors are {ENGINE_DOORS}"
    own, other = floor(module), floor(imported)
    if own is None or other is None or other <= own:
        return None
    return f"{module} (floor {own}) imports {imported} (floor {other})"


def test_every_module_has_a_floor() -> None:
    """A module stands on a floor of the list or in the engine's wing; a new floor is written down first."""
    assert [module for module in MODULES if floor(module) is None and not within(module, ENGINE)] == []


def test_the_map_is_true() -> None:
    """CONTRIBUTING lists every package and module once, at its place and floor, and no other."""
    text = (SOURCE.parent / "CONTRIBUTING.md").read_text()
    listed: dict[str, int | None] = {}
    packages: list[tuple[int, str]] = []
    level: int | None = None
    for digit, indent, name in re.findall(r"^    (\d?)( *)(\w+(?:/|\.py))(?: |$)", text, re.MULTILINE):
        column = len(digit) + len(indent)
        packages = [(at, package) for at, package in packages if at < column]
        level = int(digit) if digit else None if name == "engine/" else level
        if name.endswith("/"):
            packages.append((column, name))
        else:
            place = "".join(package for _, package in packages) + name
            assert place not in listed, f"{place} is listed twice"
            listed[place] = level
    places = {str(path.relative_to(SOURCE / "dynamix")): floor(module) for module, path in MODULES.items()}
    kept = {place: level for place, level in places.items() if not place.endswith("/__init__.py")}
    assert listed == kept


def test_imports_point_down() -> None:
    """A module imports from its own floor and from those below, and the engine is entered by its doors only."""
    objections = (objection(module, imported) for module, wanted in IMPORTS.items() for imported in wanted)
    assert list(filter(None, objections)) == []


def test_imports_close_no_circle() -> None:
    """No module imports itself by way of others, not even for its types."""
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " -> ".join(reversed(error.args[1])))


def test_the_reader_of_imports_sees_all_kinds() -> None:
    """The check itself finds an import in a function, under TYPE_CHECKING, and a relative one."""
    assert "dynamix.wire" in IMPORTS["dynamix.errors"]
    source = SOURCE / "dynamix" / "transport" / "invented.py"
    text = (
        "import dynamix.limits as l\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from dynamix import errors\n"
        "def late():\n    from ..expressions.nodes import Path\n    from .. import wire\n"
    )

    class Invented(type(source)):  # type: ignore[misc]
        def read_text(self, *_args: object, **_kwargs: object) -> str:
            return text

    found = set(imports("dynamix.transport.invented", Invented(source)))
    assert found == {"dynamix.limits", "dynamix.errors", "dynamix.expressions.nodes", "dynamix.wire"}


def test_the_check_objects() -> None:
    """The check itself objects to a way up, to the engine's back door, and to what the engine must not know."""
    assert objection("dynamix.codec.values", "dynamix.fields") is not None
    assert objection("dynamix.model", "dynamix.engine.faults") is not None
    assert objection("dynamix.engine.faults", "dynamix.codec.values") is not None
    assert objection("dynamix.engine.data.values", "dynamix.engine.tables.catalog") is not None
