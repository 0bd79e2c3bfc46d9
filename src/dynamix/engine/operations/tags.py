"""TagResource, UntagResource, ListTagsOfResource."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from dynamix.engine.faults import invalid
from dynamix.engine.operations.resources import check_table_arn, resource
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.phases import check_made
from dynamix.engine.tables.table import fresh_record

_MOST_TAGS = 50
_MARKS = frozenset("+-=._:/@")
_RESERVED = "aws:"


def tag_resource(storage: Storage, request: dict[str, Any]) -> None:
    """Put tags on a table."""
    check_table_arn("TagResource", request["ResourceArn"])
    if not request["Tags"]:
        raise invalid("Atleast one Tag needs to be provided as Input.")  # the service's spelling
    with storage.writing() as catalog:
        table = resource(catalog, request["ResourceArn"])
        check_made(table.name, table.phase)
        record = fresh_record(table)
        record.tags = check_tags(record.tags, request["Tags"])
        catalog.save(table, record)


def untag_resource(storage: Storage, request: dict[str, Any]) -> None:
    """Take tags off a table."""
    check_table_arn("UntagResource", request["ResourceArn"])
    if not request["TagKeys"]:
        raise invalid("Atleast one Tag Key needs to be provided as Input.")
    with storage.writing() as catalog:
        table = resource(catalog, request["ResourceArn"])
        check_made(table.name, table.phase)
        record = fresh_record(table)
        for key in request["TagKeys"]:
            record.tags.pop(key, None)
        catalog.save(table, record)


def list_tags_of_resource(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The tags of a table, all in one answer."""
    check_table_arn("ListTagsOfResource", request["ResourceArn"])
    if "NextToken" in request:
        raise invalid("NextToken is not one that was given: all tags come in one answer")
    with storage.reading() as catalog:
        tags = resource(catalog, request["ResourceArn"]).record.tags
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
