"""What programs that manage tables ask for: Terraform, CloudFormation and CDK, which goes through CloudFormation.

The calls are those that the sources of these programs make, in their order: Terraform's provider for AWS
(internal/service/dynamodb) and the handlers that the schema of AWS::DynamoDB::Table names.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import botocore.loaders
import pytest

from dynamix.engine import Engine
from dynamix.engine.http.server import Server
from dynamix.engine.requests.shape_table import NOT_HERE, OF_STREAMS, OPERATIONS
from engine.database import Clock, Database, index
from newest import against_botocore

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/changes"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}'
NAMED = {"TableName": "tab"}
OF_ARN = {"ResourceArn": ARN}
CREATE = {
    **NAMED,
    "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    "Tags": [{"Key": "team", "Value": "one"}],
    "TableClass": "STANDARD",
    "DeletionProtectionEnabled": False,
}
TTL = {**NAMED, "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}}
RECOVERY = {**NAMED, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
Calls = list[tuple[str, dict[str, Any]]]
READ: Calls = [
    ("DescribeTable", NAMED),
    ("DescribeContinuousBackups", NAMED),
    ("DescribeTimeToLive", NAMED),
    ("ListTagsOfResource", OF_ARN),
]
DELETE: Calls = [("DeleteTable", NAMED), ("ListTables", {})]
CALLS: dict[str, Calls] = {
    "aws_dynamodb_table": [
        ("CreateTable", CREATE),
        ("DescribeTable", NAMED),
        ("UpdateTimeToLive", TTL),
        ("UpdateContinuousBackups", RECOVERY),
        *READ,
        ("UpdateTable", {**NAMED, "DeletionProtectionEnabled": True}),
        ("TagResource", {**OF_ARN, "Tags": [{"Key": "team", "Value": "two"}]}),
        ("UntagResource", {**OF_ARN, "TagKeys": ["team"]}),
        ("UpdateTable", {**NAMED, "DeletionProtectionEnabled": False}),
        *READ,
        *DELETE,
    ],
    "aws_dynamodb_table_item, _tag, _resource_policy, _contributor_insights, _kinesis_streaming_destination": [
        ("CreateTable", CREATE),
        ("PutItem", {**NAMED, "Item": {"a": {"S": "x"}}}),
        ("GetItem", {**NAMED, "Key": {"a": {"S": "x"}}, "ConsistentRead": True}),
        ("DeleteItem", {**NAMED, "Key": {"a": {"S": "x"}}}),
        ("TagResource", {**OF_ARN, "Tags": [{"Key": "k", "Value": "v"}]}),
        ("ListTagsOfResource", OF_ARN),
        ("PutResourcePolicy", {**OF_ARN, "Policy": POLICY}),
        ("GetResourcePolicy", OF_ARN),
        ("DeleteResourcePolicy", OF_ARN),
        ("UpdateContributorInsights", {**NAMED, "ContributorInsightsAction": "ENABLE"}),
        ("DescribeContributorInsights", NAMED),
        ("UpdateContributorInsights", {**NAMED, "ContributorInsightsAction": "DISABLE"}),
        ("EnableKinesisStreamingDestination", {**NAMED, "StreamArn": KINESIS}),
        ("DescribeKinesisStreamingDestination", NAMED),
        ("DisableKinesisStreamingDestination", {**NAMED, "StreamArn": KINESIS}),
        ("ListGlobalTables", {}),
        *DELETE,
    ],
    "AWS::DynamoDB::Table": [
        ("CreateTable", {**CREATE, "ResourcePolicy": POLICY}),
        ("DescribeTable", NAMED),
        ("UpdateTimeToLive", TTL),
        ("DescribeTimeToLive", NAMED),
        ("UpdateContributorInsights", {**NAMED, "ContributorInsightsAction": "ENABLE"}),
        ("UpdateContinuousBackups", RECOVERY),
        ("EnableKinesisStreamingDestination", {**NAMED, "StreamArn": KINESIS}),
        ("DescribeTable", NAMED),
        ("DescribeContinuousBackups", NAMED),
        ("DescribeContributorInsights", NAMED),
        ("DescribeKinesisStreamingDestination", NAMED),
        ("GetResourcePolicy", OF_ARN),
        ("ListTagsOfResource", OF_ARN),
        ("DescribeTableReplicaAutoScaling", NAMED),
        ("PutResourcePolicy", {**OF_ARN, "Policy": POLICY}),
        ("UpdateTable", {**NAMED, "TableClass": "STANDARD_INFREQUENT_ACCESS"}),
        *DELETE,
    ],
}


@pytest.fixture
def client() -> Iterator[Any]:
    engine = Engine()
    with Server(engine) as server:
        client = boto3.client(
            "dynamodb",
            endpoint_url="http://{}:{}".format(*server.address),
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )
        yield client
        client.close()
    engine.close()


@pytest.fixture
def database() -> Database:
    return Database(Engine(clock=Clock()))


@against_botocore
def test_infrastructure_code_finds_what_it_asks_for(client: Any) -> None:
    """Each call that Terraform and CloudFormation make for a table is answered, or refused by name as a whole."""
    for calls in CALLS.values():
        for operation, request in calls:
            method = client._PY_TO_OP_NAME
            name = next(each for each, known in method.items() if known == operation)
            if operation in NOT_HERE:
                with pytest.raises(botocore.exceptions.ClientError, match="is not available in the embedded engine"):
                    getattr(client, name)(**request)
            else:
                getattr(client, name)(**request)
        assert client.list_tables()["TableNames"] == []


def test_policies_are_kept_and_told(database: Database) -> None:
    """A policy has a revision, which changes with its text, and by which who changes it can say what is expected."""
    database.create("a:S", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    missing = ("PolicyNotFoundException", f"Resource-based policy not found for the provided ResourceArn: {ARN}")
    assert database.refusal("GetResourcePolicy", **OF_ARN) == missing
    assert database.call("DeleteResourcePolicy", **OF_ARN) == {}
    first = database.call("PutResourcePolicy", **OF_ARN, Policy=POLICY, ExpectedRevisionId="NO_POLICY")
    assert database.call("PutResourcePolicy", **OF_ARN, Policy=POLICY) == first
    second = database.call("PutResourcePolicy", **OF_ARN, Policy=POLICY + " ", ExpectedRevisionId=first["RevisionId"])
    assert second != first
    assert database.call("GetResourcePolicy", **OF_ARN) == {"Policy": POLICY + " ", **second}
    for target, more in (("PutResourcePolicy", {"Policy": POLICY}), ("DeleteResourcePolicy", {})):
        for expected in (first["RevisionId"], "NO_POLICY"):
            assert database.refusal(target, **OF_ARN, **more, ExpectedRevisionId=expected) == missing
    stream = database.call("DescribeTable", **NAMED)["Table"]["LatestStreamArn"]
    assert database.refusal("GetResourcePolicy", ResourceArn=stream)[0] == "PolicyNotFoundException"
    database.call("PutResourcePolicy", ResourceArn=stream, Policy=POLICY)
    assert database.call("GetResourcePolicy", ResourceArn=stream)["Policy"] == POLICY
    assert database.call("DeleteResourcePolicy", **OF_ARN, ExpectedRevisionId=second["RevisionId"]) == second
    assert database.refusal("GetResourcePolicy", **OF_ARN) == missing
    assert database.refusal("GetResourcePolicy", ResourceArn=f"{stream[:-1]}x")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("{", "Invalid policy document: "),
        ("[]", "Invalid policy document: it is to be a JSON object with a Statement"),
        (POLICY + " " * 20_480, "has 20541 bytes, more than the limit of 20480"),
    ],
)
def test_what_is_no_policy_is_refused(database: Database, policy: str, message: str) -> None:
    """It is refused where it is put, and with the table that is to have it."""
    assert message in database.refusal("CreateTable", **CREATE, ResourcePolicy=policy)[1]
    database.create("a:S")
    assert message in database.refusal("PutResourcePolicy", **OF_ARN, Policy=policy)[1]


def test_insights_are_kept_and_told(database: Database) -> None:
    """Of a table and of its global indexes, with the names of the rules that the service would have."""
    database.create("a:S b:S", GlobalSecondaryIndexes=[index("gsi", "b:S")])
    of_index = {**NAMED, "IndexName": "gsi"}
    assert database.call("DescribeContributorInsights", **NAMED) == {**NAMED, "ContributorInsightsStatus": "DISABLED"}
    for where, more in ((NAMED, {}), (of_index, {"ContributorInsightsMode": "THROTTLED_KEYS"})):
        told = database.call("UpdateContributorInsights", **where, **more, ContributorInsightsAction="ENABLE")
        assert told["ContributorInsightsStatus"] == "ENABLING"
    told = database.call("DescribeContributorInsights", **NAMED)
    rules = [f"DynamoDBContributorInsights-{kind}-tab-1800000000000" for kind in ("PKC", "SKC", "PKT", "SKT")]
    assert told == {
        **NAMED,
        "ContributorInsightsStatus": "ENABLED",
        "ContributorInsightsMode": "ACCESSED_AND_THROTTLED_KEYS",
        "LastUpdateDateTime": 1_800_000_000.0,
        "ContributorInsightsRuleList": rules,
    }
    told = database.call("DescribeContributorInsights", **of_index)
    assert told["ContributorInsightsRuleList"] == ["DynamoDBContributorInsights-PKT-tab-gsi-1800000000000"]
    page = database.call("ListContributorInsights", MaxResults=1)
    assert [each["TableName"] for each in page["ContributorInsightsSummaries"]] == ["tab"]
    page = database.call("ListContributorInsights", **NAMED, MaxResults=1, NextToken=page["NextToken"])
    assert [each["IndexName"] for each in page["ContributorInsightsSummaries"]] == ["gsi"]
    assert "NextToken" not in page
    database.call("UpdateContributorInsights", **of_index, ContributorInsightsAction="DISABLE")
    told = database.call("DescribeContributorInsights", **of_index)
    assert (told["ContributorInsightsStatus"], told["ContributorInsightsMode"]) == ("DISABLED", "THROTTLED_KEYS")
    assert database.refusal("DescribeContributorInsights", **NAMED, IndexName="none")[0] == "ResourceNotFoundException"
    for wrong in ({"MaxResults": 0}, {"NextToken": "x"}):
        assert database.refusal("ListContributorInsights", **wrong)[0] == "ValidationException"
    database.call("UpdateTable", **NAMED, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gsi"}}])
    assert len(database.call("ListContributorInsights")["ContributorInsightsSummaries"]) == 1


def test_destinations_are_kept_and_told(database: Database) -> None:
    """A Kinesis stream is enabled once, changed while it is, and told as disabled afterwards."""
    database.create("a:S")
    where = {**NAMED, "StreamArn": KINESIS}
    precise = {"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    update = {"UpdateKinesisStreamingConfiguration": precise}
    assert database.call("DescribeKinesisStreamingDestination", **NAMED)["KinesisDataStreamDestinations"] == []
    for operation, more in (("Disable", {}), ("Update", update)):
        assert "state" in database.refusal(f"{operation}KinesisStreamingDestination", **where, **more)[1]
    assert database.call("EnableKinesisStreamingDestination", **where) == {**where, "DestinationStatus": "ENABLING"}
    assert "must be DISABLED" in database.refusal("EnableKinesisStreamingDestination", **where)[1]
    assert database.call("UpdateKinesisStreamingDestination", **where, **update)["DestinationStatus"] == "UPDATING"
    assert "already set to" in database.refusal("UpdateKinesisStreamingDestination", **where, **update)[1]
    assert "cannot be null" in database.refusal("UpdateKinesisStreamingDestination", **where)[1]
    assert database.call("DisableKinesisStreamingDestination", **where)["DestinationStatus"] == "DISABLING"
    (told,) = database.call("DescribeKinesisStreamingDestination", **NAMED)["KinesisDataStreamDestinations"]
    assert told == {"StreamArn": KINESIS, "DestinationStatus": "DISABLED", **precise}
    wrong = {**NAMED, "StreamArn": f"{ARN}/stream/x"}
    assert "is not the ARN of a Kinesis" in database.refusal("EnableKinesisStreamingDestination", **wrong)[1]


def test_there_are_no_global_tables(database: Database) -> None:
    """What asks for them is answered as for an account without them."""
    database.create("a:S")
    assert database.call("ListGlobalTables") == {"GlobalTables": []}
    missing = ("GlobalTableNotFoundException", "Global table with name: tab does not exist.")
    for operation, more in (
        ("DescribeGlobalTable", {}),
        ("DescribeGlobalTableSettings", {}),
        ("UpdateGlobalTable", {"ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}]}),
    ):
        assert database.refusal(operation, GlobalTableName="tab", **more) == missing
    told = database.call("DescribeTableReplicaAutoScaling", **NAMED)["TableAutoScalingDescription"]
    assert told == {**NAMED, "TableStatus": "ACTIVE", "Replicas": []}
    replica = {"GlobalTableName": "tab", "ReplicationGroup": [{"RegionName": "eu-west-1"}]}
    assert database.refusal("CreateGlobalTable", **replica) == (
        "UnknownOperationException",
        "'CreateGlobalTable' is not available in the embedded engine: it has one region",
    )


@against_botocore
def test_the_page_says_of_each_operation_what_becomes_of_it() -> None:
    """The table in docs/engine.md has all operations of the service, each as the engine has it."""
    page = (Path(__file__).parents[2] / "docs" / "engine.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| (done|refused)\b", page, re.MULTILINE))
    assert {name for name, what in told.items() if what == "done"} == set(OPERATIONS)
    assert {name for name, what in told.items() if what == "refused"} == set(NOT_HERE)
    loader = botocore.loaders.Loader()
    known = {*loader.load_service_model("dynamodb", "service-2")["operations"]}
    streams = {*loader.load_service_model("dynamodbstreams", "service-2")["operations"]}
    assert streams == OF_STREAMS
    assert known | streams <= set(told)
