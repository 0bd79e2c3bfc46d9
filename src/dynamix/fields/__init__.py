"""The fields of a model: what an attribute may hold, and how DynamoDB stores it."""

from dynamix.fields.base import Field
from dynamix.fields.collections import DictField, ListField, SetField
from dynamix.fields.scalar import BooleanField, CharField, FloatField, IntegerField
from dynamix.fields.temporal import DateField, DateTimeField, TimeDeltaField, TimeField

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
