"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy: the policies of tables and of their streams.

They are kept and told; nobody is refused for them, as the engine does not know who asks.

Source: Amazon DynamoDB API Reference, PutResourcePolicy; DynamoDB Developer Guide, "Resource-based policy
considerations".
"""

from typing import Any

import msgspec

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.operations.resources import check_table_arn, missing, resource
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import streams
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Policy
from dynamix.engine.tables.table import Table, fresh_record

_MOST_BYTES = 20 * 1024
_NONE = "NO_POLICY"
"""The revision that who expects no policy names."""


def put_resource_policy(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Keep a policy. What "ConfirmRemoveSelfResourceAccess" confirms cannot happen here: nobody is locked out."""
    arn, document = request["ResourceArn"], request["Policy"]
    label = _checked_label("PutResourcePolicy", arn)
    check_policy(document)
    with storage.writing() as catalog:
        table = _owner(catalog, arn, label)
        old = table.record.policies.get(label)
        expected = request.get("ExpectedRevisionId")
        if expected is not None and expected != (old.revision if old else _NONE):
            raise _not_found(arn)
        if old is not None and old.document == document:
            return {"RevisionId": old.revision}
        record = fresh_record(table)
        record.policies[label] = new = new_policy(catalog, document, old)
        catalog.save(table, record)
    return {"RevisionId": new.revision}


def get_resource_policy(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The policy of a table or stream."""
    arn = request["ResourceArn"]
    label = _checked_label("GetResourcePolicy", arn)
    with storage.reading() as catalog:
        policy = _owner(catalog, arn, label).record.policies.get(label)
    if policy is None:
        raise _not_found(arn)
    return {"Policy": policy.document, "RevisionId": policy.revision}


def delete_resource_policy(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a policy; no error where there is none, unless a revision is expected."""
    arn = request["ResourceArn"]
    label = _checked_label("DeleteResourcePolicy", arn)
    with storage.writing() as catalog:
        table = _owner(catalog, arn, label)
        old = table.record.policies.get(label)
        expected = request.get("ExpectedRevisionId")
        if expected is not None and (old is None or expected != old.revision):
            raise _not_found(arn)
        if old is None:
            return {}
        record = fresh_record(table)
        del record.policies[label]
        catalog.save(table, record)
    return {"RevisionId": old.revision}


def check_policy(document: str) -> None:
    """Refuse what is no policy: more than 20 KB, or no JSON object with statements."""
    size = len(document.encode())
    if size > _MOST_BYTES:
        raise invalid(f"Resource-based policy has {size} bytes, more than the limit of {_MOST_BYTES}")
    try:
        policy = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid(f"Invalid policy document: {error}") from error
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise invalid("Invalid policy document: it is to be a JSON object with a Statement")


def new_policy(catalog: Catalog, document: str, old: Policy | None = None) -> Policy:
    """A policy under a revision that follows the old one's: a time in milliseconds."""
    least = 0 if old is None else int(old.revision) + 1
    return Policy(document, str(max(catalog.milliseconds(), least)))


def _checked_label(operation: str, arn: str) -> str:
    """The label of the stream that an ARN names, empty for a table. Raises Fault where it names neither."""
    of_table, _, label = arn.partition("/stream/")
    check_table_arn(operation, of_table if label else arn)
    return label


def _owner(catalog: Catalog, arn: str, label: str) -> Table:
    """The table with whose record the policy is kept."""
    if not label:
        return resource(catalog, arn)
    stream = streams.find(catalog, arn)
    table = None if stream is None else catalog.find(stream.table)
    if table is None:
        raise missing(arn)
    return table


def _not_found(arn: str) -> Fault:
    return Fault("PolicyNotFoundException", f"Resource-based policy not found for the provided ResourceArn: {arn}")
