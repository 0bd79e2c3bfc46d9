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


def test_tags_are_listed_in_pages(database: Database) -> None:
    """Ten tags are listed at a time."""
    tags = [{"Key": f"key{number:02}", "Value": ""} for number in range(25)]
    arn = database.create("a:S", Tags=tags)["TableDescription"]["TableArn"]
    found = []
    more: dict[str, str] = {}
    while True:
        answer = database.call("ListTagsOfResource", ResourceArn=arn, **more)
        found += answer["Tags"]
        if "NextToken" not in answer:
            break
        assert len(answer["Tags"]) == 10
        more = {"NextToken": answer["NextToken"]}
    assert found == tags


def test_tags_have_limits(database: Database) -> None:
    """A key is given once, a table has 50 tags at most, and only what exists can be tagged."""
    arn = database.create("a:S")["TableDescription"]["TableArn"]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert database.refusal("TagResource", ResourceArn=arn, Tags=twice)[0] == "ValidationException"
    many = [{"Key": f"{number}", "Value": ""} for number in range(51)]
    assert database.refusal("TagResource", ResourceArn=arn, Tags=many)[0] == "LimitExceededException"
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
