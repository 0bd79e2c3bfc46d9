"""The fields of a model: what an attribute may hold, and how DynamoDB stores it.

Beside the classes of fields stands what a class of the user's own is made of: the options of its constructors
(`Options` and those derived from it), what generated code has to know (`Form`, `Text`, `Number`), and how changes are
folded (`Draft` and those derived from it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynamix.codec.forms import Binary, Form, Number, Text
from dynamix.fields.base import Field
from dynamix.fields.computed import ComputedField
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.options import Defaulted, Derived, HashKey, Options, Present, RangeKey
from dynamix.fields.ttl import TTLField
from dynamix.fields.version import VersionField
from dynamix.late import late
from dynamix.updates.draft import Draft
from dynamix.updates.list import ListDraft
from dynamix.updates.map import MapDraft
from dynamix.updates.number import NumberDraft
from dynamix.updates.set import SetDraft

if TYPE_CHECKING:
    from dynamix.fields.any import AnyField
    from dynamix.fields.binary import BinaryField
    from dynamix.fields.boolean import BooleanField
    from dynamix.fields.char import CharField
    from dynamix.fields.compressed import CompressedField
    from dynamix.fields.date import DateField
    from dynamix.fields.decimal import DecimalField
    from dynamix.fields.dict import DictField
    from dynamix.fields.discriminator import DiscriminatorField
    from dynamix.fields.encrypted import Cipher, EncryptedField
    from dynamix.fields.enum import EnumField
    from dynamix.fields.float import FloatField
    from dynamix.fields.integer import IntegerField
    from dynamix.fields.json import JSONField
    from dynamix.fields.key import KeyField
    from dynamix.fields.list import ListField
    from dynamix.fields.literal import LiteralField
    from dynamix.fields.model import ModelField
    from dynamix.fields.nested import NestedModel
    from dynamix.fields.set import SetField
    from dynamix.fields.time import TimeField
    from dynamix.fields.timedelta import TimeDeltaField
    from dynamix.fields.uuid import UUIDField
    from dynamix.fields.vector import VectorField
else:
    _LATE = {
        "dynamix.fields.any": ("AnyField",),
        "dynamix.fields.binary": ("BinaryField",),
        "dynamix.fields.boolean": ("BooleanField",),
        "dynamix.fields.char": ("CharField",),
        "dynamix.fields.compressed": ("CompressedField",),
        "dynamix.fields.date": ("DateField",),
        "dynamix.fields.decimal": ("DecimalField",),
        "dynamix.fields.dict": ("DictField",),
        "dynamix.fields.discriminator": ("DiscriminatorField",),
        "dynamix.fields.encrypted": ("Cipher", "EncryptedField"),
        "dynamix.fields.enum": ("EnumField",),
        "dynamix.fields.float": ("FloatField",),
        "dynamix.fields.integer": ("IntegerField",),
        "dynamix.fields.json": ("JSONField",),
        "dynamix.fields.key": ("KeyField",),
        "dynamix.fields.list": ("ListField",),
        "dynamix.fields.literal": ("LiteralField",),
        "dynamix.fields.model": ("ModelField",),
        "dynamix.fields.nested": ("NestedModel",),
        "dynamix.fields.set": ("SetField",),
        "dynamix.fields.time": ("TimeField",),
        "dynamix.fields.timedelta": ("TimeDeltaField",),
        "dynamix.fields.uuid": ("UUIDField",),
        "dynamix.fields.vector": ("VectorField",),
    }
    """What a program uses by its class, by module: these are imported when somebody asks for a class of theirs."""

    __getattr__ = late(globals(), _LATE, "dynamix.fields")

__all__ = [
    "AnyField",
    "Binary",
    "BinaryField",
    "BooleanField",
    "CharField",
    "Cipher",
    "CompressedField",
    "ComputedField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "Defaulted",
    "Derived",
    "DictField",
    "DiscriminatorField",
    "Draft",
    "EncryptedField",
    "EnumField",
    "Field",
    "FloatField",
    "Form",
    "HashKey",
    "IntegerField",
    "JSONField",
    "KeyField",
    "ListDraft",
    "ListField",
    "LiteralField",
    "MapDraft",
    "ModelField",
    "NestedModel",
    "Number",
    "NumberDraft",
    "Options",
    "Present",
    "RangeKey",
    "SetDraft",
    "SetField",
    "TTLField",
    "Text",
    "TimeDeltaField",
    "TimeField",
    "UUIDField",
    "VectorField",
    "VersionField",
]
