"""What dynamix offers is what its documents speak of: every public name, method and command is mentioned there."""

import argparse
import inspect
import re
from pathlib import Path

import pytest

import dynamix
from dynamix import cli, errors, fields
from dynamix.connection import Connection
from dynamix.engine import Engine
from dynamix.fields.changeable import Changeable
from dynamix.model import Model
from dynamix.query import Query
from dynamix.scan import Scan
from dynamix.transactions import Transaction

ROOT = Path(__file__).parent.parent
TEXT = "\n".join(page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])
WORDS = set(re.findall(r"\w+", TEXT))


def public_methods(cls: type) -> list[str]:
    """The names of a class without a leading underscore."""
    return [name for name, _ in inspect.getmembers(cls) if not name.startswith("_")]


def test_all_is_what_can_be_imported() -> None:
    """__all__ is sorted, complete and true."""
    assert sorted(dynamix.__all__) == list(dynamix.__all__)
    for name in dynamix.__all__:
        assert getattr(dynamix, name) is not None


def test_public_names_are_documented() -> None:
    """README or docs mention every name of `import dynamix` and of `dynamix.fields`."""
    assert [name for name in (*dynamix.__all__, *fields.__all__) if name not in WORDS] == []


@pytest.mark.parametrize(
    "cls",
    [Model, Query, Scan, Connection, Changeable, Transaction, dynamix.Batch, dynamix.Table, dynamix.Groups, Engine],
    ids=lambda cls: cls.__name__,
)
def test_public_methods_are_documented(cls: type) -> None:
    """README or docs mention every public method; an async twin by the name of what it is the twin of."""
    names = public_methods(cls)
    missing = [name for name in names if name not in WORDS and not (name[0] == "a" and name[1:] in names)]
    assert missing == []


def test_commands_are_documented() -> None:
    """README or docs mention every command with each of its options, and the options without a command."""
    parser = cli.parser()
    alone = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
    assert [option for option in alone if f"dynamix {option}" not in TEXT] == []
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command, subparser in commands.choices.items():
        assert f"dynamix {command}" in TEXT
        options = [option for action in subparser._actions for option in action.option_strings]
        assert [
            option for option in options if option.startswith("--") and option != "--help" and option not in TEXT
        ] == []


def test_environment_variables_are_documented() -> None:
    """README or docs mention every environment variable that dynamix looks at, but the one that marks a CGI program."""
    source = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))
    looked_at = set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', source)) | {"https_proxy", "http_proxy"}
    assert {"AWS_REGION", "DYNAMIX_SHOW_CODE", "NO_PROXY"} <= looked_at
    assert sorted({name.upper() for name in looked_at} - WORDS - {"REQUEST_METHOD"}) == []


def test_public_classes_say_dynamix() -> None:
    """A public class names itself as users import it."""
    classes = [value for name in dynamix.__all__ if inspect.isclass(value := getattr(dynamix, name))]
    assert [
        cls.__qualname__ for cls in classes if cls.__module__ not in ("dynamix", "dynamix.errors", "dynamix.fields")
    ] == []


def test_the_first_dynamixs_imports_work() -> None:
    """`from dynamix.model import Model` and `from dynamix.fields import CharField, ...` give the same classes."""
    from dynamix.fields import CharField, DictField, IntegerField, ListField, SetField

    assert (CharField, DictField, IntegerField, ListField, SetField) == (
        dynamix.CharField, dynamix.DictField, dynamix.IntegerField, dynamix.ListField, dynamix.SetField,
    )  # fmt: skip
    assert Model is dynamix.Model


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ValidationException", "InvalidQueryError"),
        ("ClientException", "ConditionalCheckFailedError"),
        ("FieldValidationException", "WrongTypeError"),
        ("ConnectionException", "RequestTimeoutError"),
    ],
)
def test_the_first_dynamixs_errors_still_catch(old: str, new: str) -> None:
    """The names that old `except` clauses use are bases of what is raised now, and DynamixError is the base of all."""
    assert issubclass(getattr(dynamix, new), getattr(dynamix, old))
    assert issubclass(getattr(dynamix, old), dynamix.DynamixError)


def test_the_tree_of_errors_is_documented() -> None:
    """docs/errors.md shows the tree that stands in the module."""
    text = inspect.getdoc(errors) or ""
    tree = [line.strip() for line in text.splitlines() if "──" in line]
    page = [line.strip() for line in (ROOT / "docs" / "errors.md").read_text().splitlines() if "──" in line]
    assert page == tree
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)]
    named = {word for line in tree for word in re.findall(r"── (\w+)", line)}
    assert sorted(set(classes) - named - {"DynamixError"}) == []
