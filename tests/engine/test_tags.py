"""Tags, limits and endpoints."""

import pytest

from engine.database import Database


@pytest.fixture
def database() -> Database:
    return Database()


def _tags(database: Database, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in database.call("ListTagsOfResource", ResourceArn=arn)["Tags"]}


def test_tags_are_put_on_and_taken_off(database: Database) -> None:
    """Tags come with the table or later; a key that is there gets the new value."""
    arn = database.create("a:S", Tags=[{"Key": "team", "Value": "a"}])["TableDescription"]["TableArn"]
    assert _tags(database, arn) == {"team": "a"}
    database.call("TagResource", ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "env", "Value": "dev"}])
    assert _tags(database, arn) == {"team": "b", "env": "dev"}
    database.call("UntagResource", ResourceArn=arn, TagKeys=["team", "unknown"])
    assert _tags(database, arn) == {"env": "dev"}


def test_all_tags_are_listed_at_once(database: Database) -> None:
    """There are no pages, so no token is one that was given."""
    tags = [{"Key": f"key{number:02}", "Value": ""} for number in range(50)]
    arn = database.create("a:S", Tags=tags)["TableDescription"]["TableArn"]
    assert database.call("ListTagsOfResource", ResourceArn=arn) == {"Tags": tags}
    assert database.refusal("ListTagsOfResource", ResourceArn=arn, NextToken="key10")[0] == "ValidationException"


@pytest.mark.parametrize("text", ["a!", "a\n", "tab\t", "a#b", "\U0001f600", "a*", "[a]", "a,b"])
def test_tags_are_of_some_characters(database: Database, text: str) -> None:
    """Letters, digits and spaces of any script, and some marks; others are refused in keys and in values."""
    good = [{"Key": "Größe 1", "Value": "a b+-=._:/@"}, {"Key": "数", "Value": ""}]
    arn = database.create("a:S", Tags=good)["TableDescription"]["TableArn"]
    for tag in ({"Key": text, "Value": ""}, {"Key": "a", "Value": text}):
        code, message = database.refusal("TagResource", ResourceArn=arn, Tags=[tag])
        assert (code, repr(text) in message) == ("ValidationException", True)
        code, _ = database.refusal(
            "CreateTable",
            TableName="other",
            AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[tag],
        )
        assert code == "ValidationException"
    assert _tags(database, arn) == {"Größe 1": "a b+-=._:/@", "数": ""}


def test_some_keys_of_tags_are_reserved(database: Database) -> None:
    """The service keeps keys with its own prefix for itself."""
    arn = database.create("a:S")["TableDescription"]["TableArn"]
    for key in ("aws:team", "AWS:team"):
        code, message = database.refusal("TagResource", ResourceArn=arn, Tags=[{"Key": key, "Value": ""}])
        assert (code, "reserved" in message) == ("ValidationException", True)


def test_tags_have_limits(database: Database) -> None:
    """A key is given once, a table has 50 tags at most, and only what exists can be tagged."""
    arn = database.create("a:S")["TableDescription"]["TableArn"]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert database.refusal("TagResource", ResourceArn=arn, Tags=twice)[0] == "ValidationException"
    many = [{"Key": f"{number}", "Value": ""} for number in range(51)]
    assert database.refusal("TagResource", ResourceArn=arn, Tags=many)[0] == "ValidationException"
    assert _tags(database, arn) == {}
    code, message = database.refusal("TagResource", ResourceArn=arn + "s", Tags=twice[:1])
    assert (code, message) == (
        "ResourceNotFoundException",
        f"Requested resource not found: ResourcArn: {arn}s not found",
    )


def test_tags_name_a_table(database: Database) -> None:
    """What is no ARN is not for the caller, what is no table's ARN is invalid, and something must be given."""
    arn = database.create("a:S")["TableDescription"]["TableArn"]
    for target, more, absent in (
        ("TagResource", {"Tags": []}, "Atleast one Tag needs to be provided as Input."),
        ("UntagResource", {"TagKeys": []}, "Atleast one Tag Key needs to be provided as Input."),
        ("ListTagsOfResource", {}, None),
    ):
        assert database.refusal(target, **more) == ("ValidationException", "Invalid TableArn")
        code, message = database.refusal(target, ResourceArn="tab", **more)
        assert code == "AccessDeniedException"
        assert message.endswith(f"is not authorized to perform: dynamodb:{target} on resource: tab")
        for other in (f"{arn}/index/x", arn.replace("dynamodb", "sqs"), "a:b:c:d:e:f/g"):
            assert database.refusal(target, ResourceArn=other, **more) == (
                "ValidationException",
                f"Invalid TableArn: Invalid ResourceArn provided as input {other}",
            )
        if absent is not None:
            assert database.refusal(target, ResourceArn=arn, **more) == ("ValidationException", absent)


def test_the_account_is_described(database: Database) -> None:
    """The quotas of a new account, and an endpoint to find."""
    assert database.call("DescribeLimits")["TableMaxReadCapacityUnits"] == 40000
    (endpoint,) = database.call("DescribeEndpoints")["Endpoints"]
    assert endpoint["Address"].endswith(".amazonaws.com")
