"""dynamix: an object mapper for Amazon DynamoDB.

import dynamix
from dynamix import CharField, Model

class ForumThread(Model):
    forum_id = CharField(hash_key=True)
    thread_id = CharField(range_key=True)

dynamix.set_connection(embedded=True)
dynamix.create_table(ForumThread)
ForumThread.create(forum_id="science", thread_id="physics_1")
"""

from dynamix.connection import Connection, set_connection, use_connection
from dynamix.cursor import Cursor
from dynamix.errors import (
    AccessDeniedError,
    BatchIncompleteError,
    CancellationReason,
    ClientException,
    ConditionalCheckFailedError,
    ConnectError,
    ConnectionException,
    ConnectionLostError,
    CredentialsError,
    DynamixError,
    FieldNotLoadedError,
    FieldValidationException,
    IdempotentParameterMismatchError,
    InvalidAnswerError,
    InvalidCursorError,
    InvalidQueryError,
    InvalidRequestError,
    InvalidUpdateError,
    ItemCollectionSizeLimitExceededError,
    ItemExistsError,
    ItemNotFoundError,
    ItemTooLargeError,
    LimitExceededError,
    MissingKeyError,
    ModelDefinitionError,
    NotConfiguredError,
    OutcomeUnknownError,
    RequestTimeoutError,
    RequiredFieldError,
    ServiceUnavailableError,
    StorageError,
    TableInUseError,
    TableNotFoundError,
    ThrottledError,
    TransactionCanceledError,
    TransactionConflictError,
    TransactionInProgressError,
    UnknownNameError,
    ValidationException,
    WrongTypeError,
)
from dynamix.fields import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DictField,
    Field,
    FloatField,
    IntegerField,
    ListField,
    SetField,
    TimeDeltaField,
    TimeField,
)
from dynamix.model import Model, acreate_table, create_table

__all__ = [
    "AccessDeniedError",
    "BatchIncompleteError",
    "BooleanField",
    "CancellationReason",
    "CharField",
    "ClientException",
    "ConditionalCheckFailedError",
    "ConnectError",
    "Connection",
    "ConnectionException",
    "ConnectionLostError",
    "CredentialsError",
    "Cursor",
    "DateField",
    "DateTimeField",
    "DictField",
    "DynamixError",
    "Field",
    "FieldNotLoadedError",
    "FieldValidationException",
    "FloatField",
    "IdempotentParameterMismatchError",
    "IntegerField",
    "InvalidAnswerError",
    "InvalidCursorError",
    "InvalidQueryError",
    "InvalidRequestError",
    "InvalidUpdateError",
    "ItemCollectionSizeLimitExceededError",
    "ItemExistsError",
    "ItemNotFoundError",
    "ItemTooLargeError",
    "LimitExceededError",
    "ListField",
    "MissingKeyError",
    "Model",
    "ModelDefinitionError",
    "NotConfiguredError",
    "OutcomeUnknownError",
    "RequestTimeoutError",
    "RequiredFieldError",
    "ServiceUnavailableError",
    "SetField",
    "StorageError",
    "TableInUseError",
    "TableNotFoundError",
    "ThrottledError",
    "TimeDeltaField",
    "TimeField",
    "TransactionCanceledError",
    "TransactionConflictError",
    "TransactionInProgressError",
    "UnknownNameError",
    "ValidationException",
    "WrongTypeError",
    "acreate_table",
    "create_table",
    "set_connection",
    "use_connection",
]

for _name in __all__:
    globals()[_name].__module__ = "dynamix"
del _name
