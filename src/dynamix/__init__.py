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

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dynamix.codec.names import Key
from dynamix.connection import Connection
from dynamix.context import repeat_writes, timeout
from dynamix.current import set_connection, use_connection
from dynamix.cursor import Cursor
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
    EncryptedField,
    EnumField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    KeyField,
    ListField,
    LiteralField,
    SetField,
    TimeDeltaField,
    TimeField,
    TTLField,
    UUIDField,
    VersionField,
)
from dynamix.model.batching import Batch
from dynamix.model.declaration import Model
from dynamix.model.records import StreamRecord
from dynamix.pages import Page
from dynamix.schema.index import IndexOptions
from dynamix.updates.actions import Action
from dynamix.version import __version__ as __version__
from dynamix.wire import RequestInfo, ResponseInfo

if TYPE_CHECKING:
    from dynamix import ids as ids
    from dynamix.batches import abatch_get, batch, batch_get
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
    from dynamix.meters import Capacity, capacity
    from dynamix.model.typed import TypedModel
    from dynamix.model.values_of import ValuesOf
    from dynamix.operations.statements import Rows
    from dynamix.rehearsal import DryRequest, dry_run
    from dynamix.repositories import Repository, repository
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
        "dynamix.meters": ("Capacity", "capacity"),
        "dynamix.model.typed": ("TypedModel",),
        "dynamix.model.values_of": ("ValuesOf",),
        "dynamix.rehearsal": ("DryRequest", "dry_run"),
        "dynamix.operations.statements": ("Rows",),
        "dynamix.repositories": ("Repository", "repository"),
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

    def __getattr__(name: str) -> Any:
        """Called for what is not there yet."""
        if name == "ids":
            return import_module("dynamix.ids")
        for module, names in _LATE.items():
            if name in names:
                _publish(vars(import_module(module)), names)
                return globals()[name]
        raise AttributeError(f"module 'dynamix' has no attribute {name!r}", name=name, obj=import_module("dynamix"))

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
    "MultipleItemsError",
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
    "UUIDField",
    "UnknownNameError",
    "ValidationException",
    "ValuesOf",
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
    "repository",
    "set_connection",
    "timeout",
    "transact_get",
    "transaction",
    "update_table",
    "use_connection",
]


def _publish(found: dict[str, Any], names: Iterable[str]) -> None:
    """Have things say that they are of this package, where users find them."""
    for name in names:
        if name in found:
            found[name].__module__ = "dynamix"
            globals()[name] = found[name]


_publish(globals(), __all__)
