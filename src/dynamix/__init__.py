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

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dynamix.errors import (
    AccessDeniedError,
    BatchIncompleteError,
    CancellationReason,
    CapacityExceededError,
    ClientException,
    ConditionalCheckFailedError,
    ConnectError,
    ConnectionException,
    ConnectionLostError,
    CredentialsError,
    DatabaseFileError,
    DeadlineExceededError,
    DynamixError,
    FieldError,
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
    MultipleItemsError,
    NotConfiguredError,
    NotUniqueError,
    OutcomeUnknownError,
    PartlyAppliedError,
    ReadLimitError,
    RequestTimeoutError,
    RequiredFieldError,
    ServiceUnavailableError,
    StatementsFailedError,
    StorageError,
    StoredValueError,
    TableDiffersError,
    TableInUseError,
    TableNotFoundError,
    ThrottledError,
    TransactionCanceledError,
    TransactionConflictError,
    TransactionInProgressError,
    UnknownNameError,
    ValidationException,
    VersionConflict,
    WrongTypeError,
)
from dynamix.late import late, publish
from dynamix.version import __version__ as __version__

if TYPE_CHECKING:
    from dynamix import ids as ids
    from dynamix.batches import abatch_get, batch, batch_get
    from dynamix.codec.names import Key
    from dynamix.connection import Connection
    from dynamix.context import repeat_writes, timeout
    from dynamix.current import set_connection, use_connection
    from dynamix.cursor import Cursor
    from dynamix.differences import (
        BillingDiffers,
        DeletionProtectionDiffers,
        GuardTableDiffers,
        IndexKeyDiffers,
        IndexMissing,
        IndexProjectionDiffers,
        IndexSurplus,
        KeyDiffers,
        KeyTypeDiffers,
        TableDifference,
        ThroughputDiffers,
        TimeToLiveDiffers,
    )
    from dynamix.explanation import Explanation
    from dynamix.expressions.nodes import Condition
    from dynamix.fields import (
        AnyField,
        BinaryField,
        BooleanField,
        CharField,
        CompressedField,
        ComputedField,
        DateField,
        DateTimeField,
        DecimalField,
        DictField,
        DiscriminatorField,
        EncryptedField,
        EnumField,
        Field,
        FloatField,
        IntegerField,
        JSONField,
        KeyField,
        ListField,
        LiteralField,
        ModelField,
        NestedModel,
        SetField,
        TimeDeltaField,
        TimeField,
        TTLField,
        UUIDField,
        VersionField,
    )
    from dynamix.groups import Groups
    from dynamix.meters import Capacity, capacity
    from dynamix.model.batching import Batch
    from dynamix.model.declaration import Model
    from dynamix.model.records import StreamRecord
    from dynamix.model.typed import TypedModel, TypedNestedModel
    from dynamix.model.values_of import ValuesOf
    from dynamix.operations.statements import Rows
    from dynamix.pages import Page
    from dynamix.patterns import AccessPattern, access_pattern
    from dynamix.rehearsal import DryRequest, dry_run
    from dynamix.repositories import Repository, repository
    from dynamix.schema.index import IndexOptions
    from dynamix.statements import (
        Statement,
        apartiql,
        apartiql_batch,
        apartiql_transaction,
        partiql,
        partiql_batch,
        partiql_transaction,
    )
    from dynamix.tables import acompare_table, acreate_table, aupdate_table, compare_table, create_table, update_table
    from dynamix.together import Table
    from dynamix.transactions import Transaction, atransact_get, transact_get, transaction
    from dynamix.updates.actions import Action
    from dynamix.wire import RequestInfo, ResponseInfo
else:
    _LATE = {
        "dynamix.batches": ("abatch_get", "batch", "batch_get"),
        "dynamix.codec.names": ("Key",),
        "dynamix.connection": ("Connection",),
        "dynamix.context": ("repeat_writes", "timeout"),
        "dynamix.current": ("set_connection", "use_connection"),
        "dynamix.cursor": ("Cursor",),
        "dynamix.differences": (
            "BillingDiffers",
            "DeletionProtectionDiffers",
            "GuardTableDiffers",
            "IndexKeyDiffers",
            "IndexMissing",
            "IndexProjectionDiffers",
            "IndexSurplus",
            "KeyDiffers",
            "KeyTypeDiffers",
            "TableDifference",
            "ThroughputDiffers",
            "TimeToLiveDiffers",
        ),
        "dynamix.explanation": ("Explanation",),
        "dynamix.expressions.nodes": ("Condition",),
        "dynamix.fields": (
            "AnyField",
            "BinaryField",
            "BooleanField",
            "CharField",
            "CompressedField",
            "ComputedField",
            "DateField",
            "DateTimeField",
            "DecimalField",
            "DictField",
            "DiscriminatorField",
            "EncryptedField",
            "EnumField",
            "Field",
            "FloatField",
            "IntegerField",
            "JSONField",
            "KeyField",
            "ListField",
            "LiteralField",
            "ModelField",
            "NestedModel",
            "SetField",
            "TTLField",
            "TimeDeltaField",
            "TimeField",
            "UUIDField",
            "VersionField",
        ),
        "dynamix.groups": ("Groups",),
        "dynamix.meters": ("Capacity", "capacity"),
        "dynamix.model.batching": ("Batch",),
        "dynamix.model.declaration": ("Model",),
        "dynamix.model.records": ("StreamRecord",),
        "dynamix.model.typed": ("TypedModel", "TypedNestedModel"),
        "dynamix.model.values_of": ("ValuesOf",),
        "dynamix.operations.statements": ("Rows",),
        "dynamix.pages": ("Page",),
        "dynamix.patterns": ("AccessPattern", "access_pattern"),
        "dynamix.rehearsal": ("DryRequest", "dry_run"),
        "dynamix.repositories": ("Repository", "repository"),
        "dynamix.schema.index": ("IndexOptions",),
        "dynamix.statements": (
            "Statement",
            "apartiql",
            "apartiql_batch",
            "apartiql_transaction",
            "partiql",
            "partiql_batch",
            "partiql_transaction",
        ),
        "dynamix.tables": (
            "acompare_table",
            "acreate_table",
            "aupdate_table",
            "compare_table",
            "create_table",
            "update_table",
        ),
        "dynamix.together": ("Table",),
        "dynamix.transactions": ("Transaction", "atransact_get", "transact_get", "transaction"),
        "dynamix.updates.actions": ("Action",),
        "dynamix.wire": ("RequestInfo", "ResponseInfo"),
    }
    """What is imported when somebody asks for one of its names, by module: most programs ask for few."""

    _late = late(globals(), _LATE, "dynamix")

    def __getattr__(name: str) -> Any:
        """Called for what is not there yet: a name above, or a module of the package."""
        if not name.startswith("_") and name not in __all__ and find_spec(f"dynamix.{name}") is not None:
            return import_module(f"dynamix.{name}")
        return _late(name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, "ids"})


__all__ = [
    "AccessDeniedError",
    "AccessPattern",
    "Action",
    "AnyField",
    "Batch",
    "BatchIncompleteError",
    "BillingDiffers",
    "BinaryField",
    "BooleanField",
    "CancellationReason",
    "Capacity",
    "CapacityExceededError",
    "CharField",
    "ClientException",
    "CompressedField",
    "ComputedField",
    "Condition",
    "ConditionalCheckFailedError",
    "ConnectError",
    "Connection",
    "ConnectionException",
    "ConnectionLostError",
    "CredentialsError",
    "Cursor",
    "DatabaseFileError",
    "DateField",
    "DateTimeField",
    "DeadlineExceededError",
    "DecimalField",
    "DeletionProtectionDiffers",
    "DictField",
    "DiscriminatorField",
    "DryRequest",
    "DynamixError",
    "EncryptedField",
    "EnumField",
    "Explanation",
    "Field",
    "FieldError",
    "FieldNotLoadedError",
    "FieldValidationException",
    "FloatField",
    "Groups",
    "GuardTableDiffers",
    "IdempotentParameterMismatchError",
    "IndexKeyDiffers",
    "IndexMissing",
    "IndexOptions",
    "IndexProjectionDiffers",
    "IndexSurplus",
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
    "JSONField",
    "Key",
    "KeyDiffers",
    "KeyField",
    "KeyTypeDiffers",
    "LimitExceededError",
    "ListField",
    "LiteralField",
    "MissingKeyError",
    "Model",
    "ModelDefinitionError",
    "ModelField",
    "MultipleItemsError",
    "NestedModel",
    "NotConfiguredError",
    "NotUniqueError",
    "OutcomeUnknownError",
    "Page",
    "PartlyAppliedError",
    "ReadLimitError",
    "Repository",
    "RequestInfo",
    "RequestTimeoutError",
    "RequiredFieldError",
    "ResponseInfo",
    "Rows",
    "ServiceUnavailableError",
    "SetField",
    "Statement",
    "StatementsFailedError",
    "StorageError",
    "StoredValueError",
    "StreamRecord",
    "TTLField",
    "Table",
    "TableDifference",
    "TableDiffersError",
    "TableInUseError",
    "TableNotFoundError",
    "ThrottledError",
    "ThroughputDiffers",
    "TimeDeltaField",
    "TimeField",
    "TimeToLiveDiffers",
    "Transaction",
    "TransactionCanceledError",
    "TransactionConflictError",
    "TransactionInProgressError",
    "TypedModel",
    "TypedNestedModel",
    "UUIDField",
    "UnknownNameError",
    "ValidationException",
    "ValuesOf",
    "VersionConflict",
    "VersionField",
    "WrongTypeError",
    "abatch_get",
    "access_pattern",
    "acompare_table",
    "acreate_table",
    "apartiql",
    "apartiql_batch",
    "apartiql_transaction",
    "atransact_get",
    "aupdate_table",
    "batch",
    "batch_get",
    "capacity",
    "compare_table",
    "create_table",
    "dry_run",
    "partiql",
    "partiql_batch",
    "partiql_transaction",
    "repeat_writes",
    "repository",
    "set_connection",
    "timeout",
    "transact_get",
    "transaction",
    "update_table",
    "use_connection",
]

publish(globals(), globals(), tuple(__all__), "dynamix")
