"""The names that a model may use: of fields, and of the settings by which it describes its table.

A field may have any name but those that the first version of dynamix used itself. Later versions give their methods
and options names as they need them, and a field of such a name wins: the library calls nothing of a model by name.
"""

from __future__ import annotations

from typing import Any

from dynamix.errors import ModelDefinitionError, UnknownNameError, unknown
from dynamix.fields.base import Field

SETTINGS = (
    *("__table_name__", "__secondary_indexes__", "__connection__", "__unique__", "__unique_in_table__"),
    *("__discriminator__", "__schema_version__", "__schema_version_name__"),
    *("ReadCapacityUnits", "WriteCapacityUnits", "DeletionProtectionEnabled"),
)
"""What a model may say of its table."""

METHODS = frozenset(
    {
        *("abatch_delete", "abatch_get", "abatch_write", "acommit_changes", "acreate", "add_to_field"),
        *("add_to_setfield", "adelete", "adelete_by_key", "aexists", "aget", "aitem_count", "append_to_listfield"),
        *("batch_delete", "batch_get", "batch_write", "commit_changes", "create", "delete", "delete_by_key"),
        *("delete_from_setfield", "discard_changes", "exists", "get", "get_primary_key_dict", "is_valid"),
        *("item_count", "query", "remove_by_index_from_listfield", "remove_from_dict_field"),
        *("replace_by_index_in_listfield", "scan", "set_field", "set_modify_conditions", "to_son"),
        *("update_to_dict_field", "validate"),
    }
)
"""The public names of Model in version 0.1.0. No later name joins them: it would break models with such a field."""

_PYTHONS = frozenset(
    {
        *("__abstractmethods__", "__annotate__", "__annotate_func__", "__annotations__", "__annotations_cache__"),
        *("__classdict__", "__classdictcell__", "__conditional_annotations__", "__deprecated__", "__dict__", "__doc__"),
        *("__final__", "__firstlineno__", "__isabstractmethod__", "__match_args__", "__module__", "__name__"),
        *("__no_type_check__", "__non_callable_proto_members__", "__orig_bases__", "__orig_class__", "__parameters__"),
        *("__protocol_attrs__", "__qualname__", "__signature__", "__slots__", "__static_attributes__", "__test__"),
        *("__type_params__", "__weakref__", "__wrapped__"),
    }
)
"""What Python and its typing keep in a class's body beside methods, and what tools for tests read there."""

_TOOLS = ("__attrs_", "__dataclass_", "__pytest_", "__unittest_")
"""How the names begin that class decorators and tools for tests leave in a class."""


def check_names(model: type[Any], base: type[Any]) -> None:
    """Refuse names that a model's fields cannot have, and settings that nothing would read. `base` is Model itself.

    Raises ModelDefinitionError or UnknownNameError.
    """
    for parent in model.__mro__:
        if parent in base.__mro__:
            continue
        own = parent is model or not issubclass(parent, base)
        for name, value in vars(parent).items():
            if isinstance(value, Field):
                _check_field(model, name, value)
            elif own:
                _check_setting(model, name, value, strictly=parent is model)


def _check_field(model: type[Any], name: str, field: Field[Any, Any]) -> None:
    if _is_dunder(name):
        hidden = "a name of Python's own kind"
    elif name.startswith("_dynamix"):
        hidden = "a private name of the library"
    elif name in METHODS:
        hidden = "a method of Model"
    elif name == "overwrite":
        hidden = "an argument of create()"
    elif name == "consistent" and (field.hash_key or field.range_key):
        hidden = "an argument of get()"
    else:
        return
    raise ModelDefinitionError(
        f"{model.__name__}.{name} hides {hidden}; give the field another attribute name and keep name={name!r} as the "
        "stored one"
    )


def _check_setting(model: type[Any], name: str, value: object, *, strictly: bool) -> None:
    """Refuse a setting that nothing would read. A class that is no model may serve other libraries as well; there only
    what is nearly a setting counts."""
    if name == "Meta" and isinstance(value, type) and strictly:
        raise UnknownNameError(
            f"{model.__name__}.Meta is not read; a model describes its table by {', '.join(SETTINGS)}"
        )
    if name in SETTINGS or name in _PYTHONS or name.startswith(_TOOLS):
        return
    if _nearly(name) or (strictly and _is_dunder(name) and not _is_method(value)):
        raise unknown(name, f"{model.__name__} has no setting", SETTINGS)


def _is_dunder(name: str) -> bool:
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def _is_method(value: object) -> bool:
    """Whether a value is what Python calls or asks: a method, a property, or None, by which a class declines one."""
    return value is None or callable(value) or hasattr(type(value), "__get__")


def _nearly(name: str) -> bool:
    """Whether a name is a setting but for underscores, capitals and a plural."""
    plain = name.replace("_", "").lower().removesuffix("s")
    if _is_dunder(name):
        known = ("tablename", "secondaryindex", "secondaryindexe", "secondaryindice", "connection")
        settings = ("unique", "uniqueintable", "discriminator", "schemaversion", "schemaversionname")
        return plain in (*known, *settings)
    return plain in ("readcapacityunit", "writecapacityunit")
