"""TagResource, UntagResource, ListTagsOfResource."""

import re
from collections.abc import Iterable
from typing import Any

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import ACCOUNT, Catalog, Table, fresh_record

_ARN = re.compile(r".+:.+:.+:.+:.+:.+/.+")
_TABLE_ARN = re.compile(r"arn:aws:dynamodb:.+:\d+:table/[^/]{3,}", re.ASCII)
_MOST_TAGS = 50
_PAGE = 10


def tag_resource(storage: Storage, request: dict[str, Any]) -> None:
    """Put tags on a table."""
    _check_arn("TagResource", request["ResourceArn"])
    if not request["Tags"]:
        raise invalid("Atleast one Tag needs to be provided as Input.")  # the service's spelling
    with storage.writing() as catalog:
        table = _resource(catalog, request["ResourceArn"])
        record = fresh_record(table)
        record.tags = check_tags(record.tags, request["Tags"])
        catalog.save(table, record)


def untag_resource(storage: Storage, request: dict[str, Any]) -> None:
    """Take tags off a table."""
    _check_arn("UntagResource", request["ResourceArn"])
    if not request["TagKeys"]:
        raise invalid("Atleast one Tag Key needs to be provided as Input.")
    with storage.writing() as catalog:
        table = _resource(catalog, request["ResourceArn"])
        record = fresh_record(table)
        for key in request["TagKeys"]:
            record.tags.pop(key, None)
        catalog.save(table, record)


def list_tags_of_resource(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The tags of a table, ten at a time."""
    _check_arn("ListTagsOfResource", request["ResourceArn"])
    with storage.reading() as catalog:
        tags = _resource(catalog, request["ResourceArn"]).record.tags
    after = request.get("NextToken")
    keys = [key for key in sorted(tags) if after is None or key > after]
    answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": tags[key]} for key in keys[:_PAGE]]}
    if len(keys) > _PAGE:
        answer["NextToken"] = keys[_PAGE - 1]
    return answer


def check_tags(tags: dict[str, str], given: Iterable[dict[str, str]]) -> dict[str, str]:
    """Tags with others added. Raises Fault for a key given twice, or more than 50 in all."""
    merged = dict(tags)
    seen = set()
    for tag in given:
        if tag["Key"] in seen:
            raise invalid(f"One or more parameter values were invalid: Duplicate tag key: {tag['Key']}")
        seen.add(tag["Key"])
        merged[tag["Key"]] = tag["Value"]
    if len(merged) > _MOST_TAGS:
        raise Fault(
            "LimitExceededException", f"Subscriber limit exceeded: a resource can have at most {_MOST_TAGS} tags"
        )
    return merged


def _check_arn(operation: str, arn: str) -> None:
    """Refuse what is no ARN of a table. Of what is no ARN at all the service says that it is not for the caller."""
    if not _ARN.fullmatch(arn):
        user = f"arn:aws:iam::{ACCOUNT}:user/dynamix"
        refusal = f"User: {user} is not authorized to perform: dynamodb:{operation} on resource: {arn}"
        raise Fault("AccessDeniedException", refusal)
    if not _TABLE_ARN.fullmatch(arn):
        raise invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")


def _resource(catalog: Catalog, arn: str) -> Table:
    table = catalog.find(arn)
    if table is None:
        raise Fault("ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn} not found")
    return table
