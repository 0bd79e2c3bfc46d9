"""TagResource, UntagResource, ListTagsOfResource."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.home import ACCOUNT
from dynamix.engine.tables.table import Table, fresh_record

_ARN = re.compile(r"(?>.+?:){5}.+?/.+")  # each part is as short as can be, which never has to be taken back
_TABLE_ARN = re.compile(r"arn:aws:dynamodb:.+:\d+:table/[^/]{3,}", re.ASCII)
_MOST_TAGS = 50
_MARKS = frozenset("+-=._:/@")
_RESERVED = "aws:"


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
    """The tags of a table, all in one answer."""
    _check_arn("ListTagsOfResource", request["ResourceArn"])
    if "NextToken" in request:
        raise invalid("NextToken is not one that was given: all tags come in one answer")
    with storage.reading() as catalog:
        tags = _resource(catalog, request["ResourceArn"]).record.tags
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def check_tags(tags: dict[str, str], given: Iterable[dict[str, str]]) -> dict[str, str]:
    """Tags with others added. Raises Fault for a key given twice, what no tag can be, or more than 50 in all."""
    merged = dict(tags)
    seen = set()
    for tag in given:
        if tag["Key"] in seen:
            raise invalid(f"One or more parameter values were invalid: Duplicate tag key: {tag['Key']}")
        seen.add(tag["Key"])
        _check_tag(tag)
        merged[tag["Key"]] = tag["Value"]
    if len(merged) > _MOST_TAGS:
        raise invalid(
            f"One or more parameter values were invalid: Too many tags: {len(merged)}. A resource can have at most "
            f"{_MOST_TAGS} tags"
        )
    return merged


def _check_tag(tag: dict[str, str]) -> None:
    """Refuse characters that no tag has, and the keys that are kept for the service's own tags."""
    for member, text in tag.items():
        wrong = next((each for each in text if not _allowed(each)), None)
        if wrong is not None:
            raise invalid(
                f"One or more parameter values were invalid: Tag {member} {text!r} contains {wrong!r}. Letters, "
                "digits, spaces and + - = . _ : / @ are allowed"
            )
    if tag["Key"].lower().startswith(_RESERVED):
        raise invalid(
            f"One or more parameter values were invalid: Tag Key {tag['Key']!r} begins with {_RESERVED}, which is "
            "reserved"
        )


def _allowed(character: str) -> bool:
    """Whether a tag may have a character: a letter, digit or separator of any script, or one of some marks."""
    return character in _MARKS or unicodedata.category(character)[0] in "LNZ"


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
