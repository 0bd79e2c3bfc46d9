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
from typing import TYPE_CHECKING, Any

from dynamix.codec.names import Key
from dynamix.connection import Connection
from dynamix.context import repeat_writes, timeout
from dynamix.current import set_connection, use_connection
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
from dynamix.expressions.nodes import Condition
from dynamix.fields import ComputedField, DateTimeField, Field, TTLField, VersionField
from dynamix.late import late, publish
from dynamix.model.declaration import Model
from dynamix.schema.index import IndexOptions
from dynamix.updates.actions import Action
from dynamix.version import __version__ as __version__
from dynamix.wire import RequestInfo, ResponseInfo

if TYPE_CHECKING:
    from dynamix import ids as ids
    from dynamix.batches import abatch_get, batch, batch_get
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
    from dynamix.fields import (
        AnyField,
        BinaryField,
        BooleanField,
        CharField,
        CompressedField,
        DateField,
        DecimalField,
        DictField,
        EncryptedField,
        EnumField,
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
        UUIDField,
    )
    from dynamix.meters import Capacity, capacity
    from dynamix.model.batching import Batch
    from dynamix.model.records import StreamRecord
    from dynamix.model.typed import TypedModel, TypedNestedModel
    from dynamix.operations.statements import Rows
    from dynamix.pages import Page
    from dynamix.rehearsal import DryRequest, dry_run
    from dynamix.statements import (
        Statement,
        apartiql,
        apartiql_batch,
        apartiql_transaction,
        partiql,
        partiql_batch,
        partiql_transaction,
    )
    from dynamix.tables import (
        acompare_table,
        acreate_table,
        aupdate_table,
        compare_table,
        create_table,
        update_table,
    )
    from dynamix.transactions import Transaction, atransact_get, transact_get, transaction
else:
    _LATE = {
        "dynamix.batches": ("abatch_get", "batch", "batch_get"),
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
        "dynamix.fields": (
            "AnyField",
            "BinaryField",
            "BooleanField",
            "CharField",
            "CompressedField",
            "DateField",
            "DecimalField",
            "DictField",
            "EncryptedField",
            "EnumField",
            "FloatField",
            "IntegerField",
            "JSONField",
            "KeyField",
            "ListField",
            "LiteralField",
            "ModelField",
            "NestedModel",
            "SetField",
            "TimeDeltaField",
            "TimeField",
            "UUIDField",
        ),
        "dynamix.meters": ("Capacity", "capacity"),
        "dynamix.model.batching": ("Batch",),
        "dynamix.model.records": ("StreamRecord",),
        "dynamix.model.typed": ("TypedModel", "TypedNestedModel"),
        "dynamix.pages": ("Page",),
        "dynamix.rehearsal": ("DryRequest", "dry_run"),
        "dynamix.operations.statements": ("Rows",),
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
        "dynamix.transactions": ("Transaction", "atransact_get", "transact_get", "transaction"),
    }
    """What many programs do not use, by module: these are imported when somebody asks for a name of theirs."""

    _late = late(globals(), _LATE, "dynamix")

    def __getattr__(name: str) -> Any:
        """Called for what is not there yet."""
        return import_module("dynamix.ids") if name == "ids" else _late(name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, "ids"})


__all__ = [
    "AccessDeniedError",
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
    "VersionConflict",
    "VersionField",
    "WrongTypeError",
    "abatch_get",
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
    "set_connection",
    "timeout",
    "transact_get",
    "transaction",
    "update_table",
    "use_connection",
]

publish(globals(), globals(), tuple(__all__), "dynamix")
