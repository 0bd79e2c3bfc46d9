"""The fields of a model: what an attribute may hold, and how DynamoDB stores it."""

from dynamix.fields.base import Field
from dynamix.fields.boolean import BooleanField
from dynamix.fields.char import CharField
from dynamix.fields.date import DateField
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.dict import DictField
from dynamix.fields.float import FloatField
from dynamix.fields.integer import IntegerField
from dynamix.fields.list import ListField
from dynamix.fields.set import SetField
from dynamix.fields.time import TimeField
from dynamix.fields.timedelta import TimeDeltaField

__all__ = [
    "BooleanField",
    "CharField",
    "DateField",
    "DateTimeField",
    "DictField",
    "Field",
    "FloatField",
    "IntegerField",
    "ListField",
    "SetField",
    "TimeDeltaField",
    "TimeField",
]
