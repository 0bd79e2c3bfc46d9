"""The shapes of the requests that the engine answers: members, types and constraints, as the service's model has them.

A structure is written as one text: member names with a blank between them, `!` after a required one, and `:Shape` where
the shape has another name than the member. The values of an enum stand in the order in which the service's messages
list them, where that is known.

Source: the models `dynamodb/2012-08-10/service-2` and `dynamodbstreams/2012-08-10/service-2` in botocore; a test
compares them.
"""

from functools import cached_property
from typing import TypeAlias

from msgspec import Struct


class String(Struct, frozen=True):
    """Text, its length in characters, and a regular expression that all of it matches."""

    min: int | None = None
    max: int | None = None
    pattern: str | None = None


class Enum(Struct, frozen=True, dict=True):
    """One of several words."""

    text: str

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The words."""
        return tuple(self.text.split())


class Boolean(Struct, frozen=True):
    """true or false."""


class Blob(Struct, frozen=True):
    """Bytes, as base64 text."""


class Integer(Struct, frozen=True):
    """A number of 32 bits."""

    min: int | None = None
    max: int | None = None
    bound = 2**31 - 1


class Long(Struct, frozen=True):
    """A number of 64 bits."""

    min: int | None = None
    max: int | None = None
    bound = 2**63 - 1


class Timestamp(Struct, frozen=True):
    """Seconds since 1970, with a fraction."""


class List(Struct, frozen=True):
    """A list of `of`, and how many there may be."""

    of: str
    min: int | None = None
    max: int | None = None


class Map(Struct, frozen=True):
    """A map of `keys` to `of`, and how many entries there may be."""

    keys: str
    of: str
    min: int | None = None
    max: int | None = None


class Member(Struct, frozen=True):
    """One member of a structure."""

    name: str
    shape: str
    required: bool


class Structure(Struct, frozen=True, dict=True):
    """A structure and its members."""

    text: str

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The members in the order of the model."""
        parts = (word.partition(":") for word in self.text.split())
        return tuple(
            Member(name.rstrip("!"), shape or name.rstrip("!"), name.endswith("!")) for name, _, shape in parts
        )


Shape: TypeAlias = String | Enum | Boolean | Blob | Integer | Long | Timestamp | List | Map | Structure

SHAPES: dict[str, Shape] = {
    "String": String(),
    "Boolean": Boolean(),
    "Blob": Blob(),
    "Integer": Integer(),
    "Long": Long(),
    "Timestamp": Timestamp(),
    "KeySchemaAttributeName": String(min=1, max=255),
    "ScalarAttributeType": Enum("B N S"),
    "AttributeDefinition": Structure("AttributeName!:KeySchemaAttributeName AttributeType!:ScalarAttributeType"),
    "AttributeDefinitions": List("AttributeDefinition"),
    "TableArn": String(min=1, max=1024),
    "KeyType": Enum("HASH RANGE"),
    "KeySchemaElement": Structure("AttributeName!:KeySchemaAttributeName KeyType!"),
    "KeySchema": List("KeySchemaElement", min=1),
    "IndexName": String(min=3, max=255, pattern="[a-zA-Z0-9_.-]+"),
    "ProjectionType": Enum("ALL INCLUDE KEYS_ONLY"),
    "NonKeyAttributeName": String(min=1, max=255),
    "NonKeyAttributeNameList": List("NonKeyAttributeName", min=1, max=20),
    "Projection": Structure("ProjectionType NonKeyAttributes:NonKeyAttributeNameList"),
    "LocalSecondaryIndex": Structure("IndexName! KeySchema! Projection!"),
    "LocalSecondaryIndexList": List("LocalSecondaryIndex"),
    "PositiveLongObject": Long(min=1),
    "ProvisionedThroughput": Structure("ReadCapacityUnits!:PositiveLongObject WriteCapacityUnits!:PositiveLongObject"),
    "OnDemandThroughput": Structure("MaxReadRequestUnits:Long MaxWriteRequestUnits:Long"),
    "WarmThroughput": Structure("ReadUnitsPerSecond:Long WriteUnitsPerSecond:Long"),
    "GlobalSecondaryIndex": Structure(
        "IndexName! KeySchema! Projection! ProvisionedThroughput OnDemandThroughput WarmThroughput"
    ),
    "GlobalSecondaryIndexList": List("GlobalSecondaryIndex"),
    "BillingMode": Enum("PROVISIONED PAY_PER_REQUEST"),
    "StreamViewType": Enum("NEW_IMAGE OLD_IMAGE NEW_AND_OLD_IMAGES KEYS_ONLY"),
    "StreamSpecification": Structure("StreamEnabled!:Boolean StreamViewType"),
    "SSEType": Enum("AES256 KMS"),
    "SSESpecification": Structure("Enabled:Boolean SSEType KMSMasterKeyId:String"),
    "TagKeyString": String(min=1, max=128),
    "TagValueString": String(min=0, max=256),
    "Tag": Structure("Key!:TagKeyString Value!:TagValueString"),
    "TagList": List("Tag"),
    "TableClass": Enum("STANDARD STANDARD_INFREQUENT_ACCESS"),
    "GlobalTableSettingsReplicationMode": Enum("ENABLED DISABLED ENABLED_WITH_OVERRIDES"),
    "VectorAttributeName": String(min=1, max=255),
    "VectorAttributeDefinition": Structure("AttributeName!:VectorAttributeName"),
    "AttributeName": String(max=65535),
    "SearchSchemaElementType": Enum("HASH INLINE_FILTER"),
    "SearchSchemaElement": Structure("AttributeName! SearchSchemaElementType!"),
    "SearchSchema": List("SearchSchemaElement", min=1),
    "VectorDistanceFunction": Enum("COSINE DOT_PRODUCT EUCLIDEAN"),
    "VectorIndex": Structure(
        "IndexName! VectorAttribute!:VectorAttributeDefinition SearchSchema Projection! "
        "Dimensions!:PositiveLongObject DistanceFunction!:VectorDistanceFunction"
    ),
    "VectorIndexList": List("VectorIndex"),
    "CreateTableInput": Structure(
        "AttributeDefinitions TableName!:TableArn KeySchema LocalSecondaryIndexes:LocalSecondaryIndexList "
        "GlobalSecondaryIndexes:GlobalSecondaryIndexList BillingMode ProvisionedThroughput StreamSpecification "
        "SSESpecification Tags:TagList TableClass DeletionProtectionEnabled:Boolean WarmThroughput "
        "ResourcePolicy:String OnDemandThroughput GlobalTableSourceArn:TableArn GlobalTableSettingsReplicationMode "
        "VectorIndexes:VectorIndexList"
    ),
    "DescribeTableInput": Structure("TableName!:TableArn"),
    "TableName": String(min=3, max=255, pattern="[a-zA-Z0-9_.-]+"),
    "ListTablesInputLimit": Integer(min=1, max=100),
    "ListTablesInput": Structure("ExclusiveStartTableName:TableName Limit:ListTablesInputLimit"),
    "UpdateGlobalSecondaryIndexAction": Structure("IndexName! ProvisionedThroughput OnDemandThroughput WarmThroughput"),
    "CreateGlobalSecondaryIndexAction": Structure(
        "IndexName! KeySchema! Projection! ProvisionedThroughput OnDemandThroughput WarmThroughput"
    ),
    "DeleteGlobalSecondaryIndexAction": Structure("IndexName!"),
    "GlobalSecondaryIndexUpdate": Structure(
        "Update:UpdateGlobalSecondaryIndexAction Create:CreateGlobalSecondaryIndexAction "
        "Delete:DeleteGlobalSecondaryIndexAction"
    ),
    "GlobalSecondaryIndexUpdateList": List("GlobalSecondaryIndexUpdate"),
    "ProvisionedThroughputOverride": Structure("ReadCapacityUnits:PositiveLongObject"),
    "OnDemandThroughputOverride": Structure("MaxReadRequestUnits:Long"),
    "ReplicaGlobalSecondaryIndex": Structure("IndexName! ProvisionedThroughputOverride OnDemandThroughputOverride"),
    "ReplicaGlobalSecondaryIndexList": List("ReplicaGlobalSecondaryIndex", min=1),
    "CreateReplicationGroupMemberAction": Structure(
        "RegionName!:String KMSMasterKeyId:String ProvisionedThroughputOverride OnDemandThroughputOverride "
        "GlobalSecondaryIndexes:ReplicaGlobalSecondaryIndexList TableClassOverride:TableClass"
    ),
    "UpdateReplicationGroupMemberAction": Structure(
        "RegionName!:String KMSMasterKeyId:String ProvisionedThroughputOverride OnDemandThroughputOverride "
        "GlobalSecondaryIndexes:ReplicaGlobalSecondaryIndexList TableClassOverride:TableClass"
    ),
    "DeleteReplicationGroupMemberAction": Structure("RegionName!:String"),
    "DisassociationMode": Enum("WAIT_FOR_REPLICATION"),
    "DisassociateReplicationGroupMemberAction": Structure("RegionName!:String DisassociationMode!"),
    "ReplicationGroupUpdate": Structure(
        "Create:CreateReplicationGroupMemberAction Update:UpdateReplicationGroupMemberAction "
        "Delete:DeleteReplicationGroupMemberAction Disassociate:DisassociateReplicationGroupMemberAction"
    ),
    "ReplicationGroupUpdateList": List("ReplicationGroupUpdate", min=1),
    "MultiRegionConsistency": Enum("EVENTUAL STRONG"),
    "CreateGlobalTableWitnessGroupMemberAction": Structure("RegionName!:String"),
    "DeleteGlobalTableWitnessGroupMemberAction": Structure("RegionName!:String"),
    "GlobalTableWitnessGroupUpdate": Structure(
        "Create:CreateGlobalTableWitnessGroupMemberAction Delete:DeleteGlobalTableWitnessGroupMemberAction"
    ),
    "GlobalTableWitnessGroupUpdateList": List("GlobalTableWitnessGroupUpdate", min=1, max=1),
    "CreateVectorIndexAction": Structure(
        "IndexName! VectorAttribute!:VectorAttributeDefinition SearchSchema Projection! "
        "Dimensions!:PositiveLongObject DistanceFunction!:VectorDistanceFunction"
    ),
    "DeleteVectorIndexAction": Structure("IndexName!"),
    "VectorIndexUpdate": Structure("Create:CreateVectorIndexAction Delete:DeleteVectorIndexAction"),
    "VectorIndexUpdateList": List("VectorIndexUpdate"),
    "UpdateTableInput": Structure(
        "AttributeDefinitions TableName!:TableArn BillingMode ProvisionedThroughput "
        "GlobalSecondaryIndexUpdates:GlobalSecondaryIndexUpdateList StreamSpecification SSESpecification "
        "ReplicaUpdates:ReplicationGroupUpdateList TableClass DeletionProtectionEnabled:Boolean "
        "MultiRegionConsistency GlobalTableWitnessUpdates:GlobalTableWitnessGroupUpdateList OnDemandThroughput "
        "WarmThroughput GlobalTableSettingsReplicationMode DisassociationProtectionEnabled:Boolean "
        "VectorIndexUpdates:VectorIndexUpdateList"
    ),
    "DeleteTableInput": Structure("TableName!:TableArn"),
    "StringSetAttributeValue": List("String"),
    "NumberSetAttributeValue": List("String"),
    "BinarySetAttributeValue": List("Blob"),
    "MapAttributeValue": Map("AttributeName", "AttributeValue"),
    "ListAttributeValue": List("AttributeValue"),
    "AttributeValue": Structure(
        "S:String N:String B:Blob SS:StringSetAttributeValue NS:NumberSetAttributeValue BS:BinarySetAttributeValue "
        "M:MapAttributeValue L:ListAttributeValue NULL:Boolean BOOL:Boolean"
    ),
    "Key": Map("AttributeName", "AttributeValue"),
    "AttributeNameList": List("AttributeName", min=1),
    "ReturnConsumedCapacity": Enum("INDEXES TOTAL NONE"),
    "ExpressionAttributeNameMap": Map("String", "AttributeName"),
    "GetItemInput": Structure(
        "TableName!:TableArn Key! AttributesToGet:AttributeNameList ConsistentRead:Boolean ReturnConsumedCapacity "
        "ProjectionExpression:String ExpressionAttributeNames:ExpressionAttributeNameMap"
    ),
    "PutItemInputAttributeMap": Map("AttributeName", "AttributeValue"),
    "ComparisonOperator": Enum("IN NULL BETWEEN LT NOT_CONTAINS EQ GT NOT_NULL NE LE BEGINS_WITH GE CONTAINS"),
    "AttributeValueList": List("AttributeValue"),
    "ExpectedAttributeValue": Structure("Value:AttributeValue Exists:Boolean ComparisonOperator AttributeValueList"),
    "ExpectedAttributeMap": Map("AttributeName", "ExpectedAttributeValue"),
    "ReturnValue": Enum("ALL_NEW UPDATED_OLD ALL_OLD NONE UPDATED_NEW"),
    "ReturnItemCollectionMetrics": Enum("SIZE NONE"),
    "ConditionalOperator": Enum("OR AND"),
    "ExpressionAttributeValueMap": Map("String", "AttributeValue"),
    "ReturnValuesOnConditionCheckFailure": Enum("ALL_OLD NONE"),
    "PutItemInput": Structure(
        "TableName!:TableArn Item!:PutItemInputAttributeMap Expected:ExpectedAttributeMap ReturnValues:ReturnValue "
        "ReturnConsumedCapacity ReturnItemCollectionMetrics ConditionalOperator ConditionExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap "
        "ReturnValuesOnConditionCheckFailure"
    ),
    "AttributeAction": Enum("ADD DELETE PUT"),
    "AttributeValueUpdate": Structure("Value:AttributeValue Action:AttributeAction"),
    "AttributeUpdates": Map("AttributeName", "AttributeValueUpdate"),
    "UpdateItemInput": Structure(
        "TableName!:TableArn Key! AttributeUpdates Expected:ExpectedAttributeMap ConditionalOperator "
        "ReturnValues:ReturnValue ReturnConsumedCapacity ReturnItemCollectionMetrics UpdateExpression:String "
        "ConditionExpression:String ExpressionAttributeNames:ExpressionAttributeNameMap "
        "ExpressionAttributeValues:ExpressionAttributeValueMap ReturnValuesOnConditionCheckFailure"
    ),
    "DeleteItemInput": Structure(
        "TableName!:TableArn Key! Expected:ExpectedAttributeMap ConditionalOperator ReturnValues:ReturnValue "
        "ReturnConsumedCapacity ReturnItemCollectionMetrics ConditionExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap "
        "ReturnValuesOnConditionCheckFailure"
    ),
    "Select": Enum("SPECIFIC_ATTRIBUTES COUNT ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES"),
    "PositiveIntegerObject": Integer(min=1),
    "Condition": Structure("AttributeValueList ComparisonOperator!"),
    "KeyConditions": Map("AttributeName", "Condition"),
    "FilterConditionMap": Map("AttributeName", "Condition"),
    "QueryInput": Structure(
        "TableName!:TableArn IndexName Select AttributesToGet:AttributeNameList Limit:PositiveIntegerObject "
        "ConsistentRead:Boolean KeyConditions QueryFilter:FilterConditionMap ConditionalOperator "
        "ScanIndexForward:Boolean ExclusiveStartKey:Key ReturnConsumedCapacity ProjectionExpression:String "
        "FilterExpression:String KeyConditionExpression:String ExpressionAttributeNames:ExpressionAttributeNameMap "
        "ExpressionAttributeValues:ExpressionAttributeValueMap"
    ),
    "ScanTotalSegments": Integer(min=1, max=1_000_000),
    "ScanSegment": Integer(min=0, max=999_999),
    "ScanInput": Structure(
        "TableName!:TableArn IndexName AttributesToGet:AttributeNameList Limit:PositiveIntegerObject Select "
        "ScanFilter:FilterConditionMap ConditionalOperator ExclusiveStartKey:Key ReturnConsumedCapacity "
        "TotalSegments:ScanTotalSegments Segment:ScanSegment ProjectionExpression:String FilterExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap "
        "ConsistentRead:Boolean"
    ),
    "SearchVectorList": List("AttributeValue", min=1, max=4096),
    "TopKInteger": Integer(min=1),
    "SearchVectorsInput": Structure(
        "TableName!:TableArn IndexName! ReturnConsumedCapacity "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap "
        "ProjectionExpression:String SearchVector!:SearchVectorList SearchConditionExpression:String TopK!:TopKInteger"
    ),
    "KeyList": List("Key", min=1, max=100),
    "KeysAndAttributes": Structure(
        "Keys!:KeyList AttributesToGet:AttributeNameList ConsistentRead:Boolean ProjectionExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap"
    ),
    "BatchGetRequestMap": Map("TableArn", "KeysAndAttributes", min=1, max=100),
    "BatchGetItemInput": Structure("RequestItems!:BatchGetRequestMap ReturnConsumedCapacity"),
    "PutRequest": Structure("Item!:PutItemInputAttributeMap"),
    "DeleteRequest": Structure("Key!"),
    "WriteRequest": Structure("PutRequest DeleteRequest"),
    "WriteRequests": List("WriteRequest", min=1, max=25),
    "BatchWriteItemRequestMap": Map("TableArn", "WriteRequests", min=1, max=25),
    "BatchWriteItemInput": Structure(
        "RequestItems!:BatchWriteItemRequestMap ReturnConsumedCapacity ReturnItemCollectionMetrics"
    ),
    "Get": Structure(
        "Key! TableName!:TableArn ProjectionExpression:String ExpressionAttributeNames:ExpressionAttributeNameMap"
    ),
    "TransactGetItem": Structure("Get!"),
    "TransactGetItemList": List("TransactGetItem", min=1, max=100),
    "TransactGetItemsInput": Structure("TransactItems!:TransactGetItemList ReturnConsumedCapacity"),
    "ConditionCheck": Structure(
        "Key! TableName!:TableArn ConditionExpression!:String ExpressionAttributeNames:ExpressionAttributeNameMap "
        "ExpressionAttributeValues:ExpressionAttributeValueMap ReturnValuesOnConditionCheckFailure"
    ),
    "Put": Structure(
        "Item!:PutItemInputAttributeMap TableName!:TableArn ConditionExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap "
        "ReturnValuesOnConditionCheckFailure"
    ),
    "Delete": Structure(
        "Key! TableName!:TableArn ConditionExpression:String ExpressionAttributeNames:ExpressionAttributeNameMap "
        "ExpressionAttributeValues:ExpressionAttributeValueMap ReturnValuesOnConditionCheckFailure"
    ),
    "Update": Structure(
        "Key! UpdateExpression!:String TableName!:TableArn ConditionExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap "
        "ReturnValuesOnConditionCheckFailure"
    ),
    "TransactWriteItem": Structure("ConditionCheck Put Delete Update"),
    "TransactWriteItemList": List("TransactWriteItem", min=1, max=100),
    "ClientRequestToken": String(min=1, max=36),
    "TransactWriteItemsInput": Structure(
        "TransactItems!:TransactWriteItemList ReturnConsumedCapacity ReturnItemCollectionMetrics ClientRequestToken"
    ),
    "TimeToLiveAttributeName": String(min=1, max=255),
    "TimeToLiveSpecification": Structure("Enabled!:Boolean AttributeName!:TimeToLiveAttributeName"),
    "UpdateTimeToLiveInput": Structure("TableName!:TableArn TimeToLiveSpecification!"),
    "DescribeTimeToLiveInput": Structure("TableName!:TableArn"),
    "ResourceArnString": String(min=1, max=1283),
    "TagResourceInput": Structure("ResourceArn!:ResourceArnString Tags!:TagList"),
    "TagKeyList": List("TagKeyString"),
    "UntagResourceInput": Structure("ResourceArn!:ResourceArnString TagKeys!:TagKeyList"),
    "ListTagsOfResourceInput": Structure("ResourceArn!:ResourceArnString NextToken:String"),
    "DescribeLimitsInput": Structure(""),
    "PolicyRevisionId": String(min=1, max=255),
    "PutResourcePolicyInput": Structure(
        "ResourceArn!:ResourceArnString Policy!:String ExpectedRevisionId:PolicyRevisionId "
        "ConfirmRemoveSelfResourceAccess:Boolean"
    ),
    "GetResourcePolicyInput": Structure("ResourceArn!:ResourceArnString"),
    "DeleteResourcePolicyInput": Structure("ResourceArn!:ResourceArnString ExpectedRevisionId:PolicyRevisionId"),
    "ContributorInsightsAction": Enum("ENABLE DISABLE"),
    "ContributorInsightsMode": Enum("ACCESSED_AND_THROTTLED_KEYS THROTTLED_KEYS"),
    "DescribeContributorInsightsInput": Structure("TableName!:TableArn IndexName"),
    "UpdateContributorInsightsInput": Structure(
        "TableName!:TableArn IndexName ContributorInsightsAction! ContributorInsightsMode"
    ),
    "ListContributorInsightsLimit": Integer(max=100),
    "ListContributorInsightsInput": Structure(
        "TableName:TableArn NextToken:String MaxResults:ListContributorInsightsLimit"
    ),
    "ApproximateCreationDateTimePrecision": Enum("MILLISECOND MICROSECOND"),
    "EnableKinesisStreamingConfiguration": Structure("ApproximateCreationDateTimePrecision"),
    "UpdateKinesisStreamingConfiguration": Structure("ApproximateCreationDateTimePrecision"),
    "KinesisStreamingDestinationInput": Structure("TableName!:TableArn StreamArn! EnableKinesisStreamingConfiguration"),
    "UpdateKinesisStreamingDestinationInput": Structure(
        "TableName!:TableArn StreamArn! UpdateKinesisStreamingConfiguration"
    ),
    "DescribeKinesisStreamingDestinationInput": Structure("TableName!:TableArn"),
    "ListGlobalTablesInput": Structure(
        "ExclusiveStartGlobalTableName:TableName Limit:PositiveIntegerObject RegionName:String"
    ),
    "DescribeGlobalTableInput": Structure("GlobalTableName!:TableName"),
    "DescribeGlobalTableSettingsInput": Structure("GlobalTableName!:TableName"),
    "CreateReplicaAction": Structure("RegionName!:String"),
    "DeleteReplicaAction": Structure("RegionName!:String"),
    "ReplicaUpdate": Structure("Create:CreateReplicaAction Delete:DeleteReplicaAction"),
    "ReplicaUpdateList": List("ReplicaUpdate"),
    "UpdateGlobalTableInput": Structure("GlobalTableName!:TableName ReplicaUpdates!:ReplicaUpdateList"),
    "DescribeTableReplicaAutoScalingInput": Structure("TableName!:TableArn"),
    "PartiQLStatement": String(min=1, max=8192),
    "PreparedStatementParameters": List("AttributeValue", min=1),
    "PartiQLNextToken": String(min=1, max=32768),
    "ExecuteStatementInput": Structure(
        "Statement!:PartiQLStatement Parameters:PreparedStatementParameters ConsistentRead:Boolean "
        "NextToken:PartiQLNextToken ReturnConsumedCapacity Limit:PositiveIntegerObject "
        "ReturnValuesOnConditionCheckFailure"
    ),
    "BatchStatementRequest": Structure(
        "Statement!:PartiQLStatement Parameters:PreparedStatementParameters ConsistentRead:Boolean "
        "ReturnValuesOnConditionCheckFailure"
    ),
    "PartiQLBatchRequest": List("BatchStatementRequest", min=1, max=25),
    "BatchExecuteStatementInput": Structure("Statements!:PartiQLBatchRequest ReturnConsumedCapacity"),
    "ParameterizedStatement": Structure(
        "Statement!:PartiQLStatement Parameters:PreparedStatementParameters ReturnValuesOnConditionCheckFailure"
    ),
    "ParameterizedStatements": List("ParameterizedStatement", min=1, max=100),
    "ExecuteTransactionInput": Structure(
        "TransactStatements!:ParameterizedStatements ClientRequestToken ReturnConsumedCapacity"
    ),
    "DescribeEndpointsRequest": Structure(""),
    "StreamArn": String(min=37, max=1024),
    "ListStreamsInput": Structure("TableName Limit:PositiveIntegerObject ExclusiveStartStreamArn:StreamArn"),
    "ShardId": String(min=28, max=65),
    "ShardFilterType": Enum("CHILD_SHARDS"),
    "ShardFilter": Structure("Type:ShardFilterType ShardId"),
    "DescribeStreamInput": Structure(
        "StreamArn! Limit:PositiveIntegerObject ExclusiveStartShardId:ShardId ShardFilter"
    ),
    "ShardIteratorType": Enum("TRIM_HORIZON LATEST AT_SEQUENCE_NUMBER AFTER_SEQUENCE_NUMBER AT_TIMESTAMP"),
    "SequenceNumber": String(min=21, max=40),
    "GetShardIteratorInput": Structure("StreamArn! ShardId! ShardIteratorType! SequenceNumber Timestamp"),
    "ShardIterator": String(min=1, max=2048),
    "GetRecordsInput": Structure("ShardIterator! Limit:PositiveIntegerObject"),
    "BackupName": String(min=3, max=255, pattern="[a-zA-Z0-9_.-]+"),
    "BackupArn": String(min=37, max=1024),
    "CreateBackupInput": Structure("TableName!:TableArn BackupName!"),
    "DescribeBackupInput": Structure("BackupArn!"),
    "DeleteBackupInput": Structure("BackupArn!"),
    "BackupsInputLimit": Integer(min=1, max=100),
    "BackupTypeFilter": Enum("USER SYSTEM AWS_BACKUP ALL"),
    "ListBackupsInput": Structure(
        "TableName:TableArn Limit:BackupsInputLimit TimeRangeLowerBound:Timestamp TimeRangeUpperBound:Timestamp "
        "ExclusiveStartBackupArn:BackupArn BackupType:BackupTypeFilter"
    ),
    "RestoreTableFromBackupInput": Structure(
        "TargetTableName!:TableName BackupArn! BillingModeOverride:BillingMode "
        "GlobalSecondaryIndexOverride:GlobalSecondaryIndexList LocalSecondaryIndexOverride:LocalSecondaryIndexList "
        "ProvisionedThroughputOverride:ProvisionedThroughput OnDemandThroughputOverride:OnDemandThroughput "
        "SSESpecificationOverride:SSESpecification VectorIndexOverride:VectorIndexList"
    ),
    "RestoreTableToPointInTimeInput": Structure(
        "SourceTableArn:TableArn SourceTableName:TableName TargetTableName!:TableName UseLatestRestorableTime:Boolean "
        "RestoreDateTime:Timestamp BillingModeOverride:BillingMode "
        "GlobalSecondaryIndexOverride:GlobalSecondaryIndexList LocalSecondaryIndexOverride:LocalSecondaryIndexList "
        "ProvisionedThroughputOverride:ProvisionedThroughput OnDemandThroughputOverride:OnDemandThroughput "
        "SSESpecificationOverride:SSESpecification VectorIndexOverride:VectorIndexList"
    ),
    "DescribeContinuousBackupsInput": Structure("TableName!:TableArn"),
    "RecoveryPeriodInDays": Integer(min=1, max=35),
    "PointInTimeRecoverySpecification": Structure("PointInTimeRecoveryEnabled!:Boolean RecoveryPeriodInDays"),
    "UpdateContinuousBackupsInput": Structure("TableName!:TableArn PointInTimeRecoverySpecification!"),
    "ClientToken": String(pattern=r"^[^\$]+$"),
    "S3Bucket": String(max=255, pattern=r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$"),
    "S3BucketOwner": String(pattern="[0-9]{12}"),
    "S3Prefix": String(max=1024),
    "S3SseAlgorithm": Enum("AES256 KMS"),
    "S3SseKmsKeyId": String(min=1, max=2048),
    "ExportFormat": Enum("DYNAMODB_JSON ION"),
    "ExportType": Enum("FULL_EXPORT INCREMENTAL_EXPORT"),
    "ExportViewType": Enum("NEW_IMAGE NEW_AND_OLD_IMAGES"),
    "IncrementalExportSpecification": Structure("ExportFromTime:Timestamp ExportToTime:Timestamp ExportViewType"),
    "FilterSpecification": Structure(
        "FilterExpression:String ProjectionExpression:String KeyConditionExpression:String "
        "ExpressionAttributeNames:ExpressionAttributeNameMap ExpressionAttributeValues:ExpressionAttributeValueMap"
    ),
    "ExportTableToPointInTimeInput": Structure(
        "TableArn! ExportTime:Timestamp ClientToken S3Bucket! S3BucketOwner S3Prefix S3SseAlgorithm S3SseKmsKeyId "
        "ExportFormat ExportType IncrementalExportSpecification FilterSpecification"
    ),
    "ExportArn": String(min=37, max=1024),
    "DescribeExportInput": Structure("ExportArn!"),
    "ListExportsMaxLimit": Integer(min=1, max=25),
    "ListExportsInput": Structure("TableArn MaxResults:ListExportsMaxLimit NextToken:String"),
    "S3BucketSource": Structure("S3BucketOwner S3Bucket! S3KeyPrefix:S3Prefix"),
    "InputFormat": Enum("DYNAMODB_JSON ION CSV"),
    "CsvDelimiter": String(min=1, max=1, pattern=r"[,;:|\t ]"),
    "CsvHeader": String(min=1, max=65536, pattern=r"[\x20-\x21\x23-\x2B\x2D-\x7E]*"),
    "CsvHeaderList": List("CsvHeader", min=1, max=255),
    "CsvOptions": Structure("Delimiter:CsvDelimiter HeaderList:CsvHeaderList"),
    "InputFormatOptions": Structure("Csv:CsvOptions"),
    "InputCompressionType": Enum("GZIP ZSTD NONE"),
    "TableCreationParameters": Structure(
        "TableName! AttributeDefinitions! KeySchema! BillingMode ProvisionedThroughput OnDemandThroughput "
        "SSESpecification GlobalSecondaryIndexes:GlobalSecondaryIndexList VectorIndexes:VectorIndexList"
    ),
    "ImportTableInput": Structure(
        "ClientToken S3BucketSource! InputFormat! InputFormatOptions InputCompressionType TableCreationParameters!"
    ),
    "ImportArn": String(min=37, max=1024),
    "DescribeImportInput": Structure("ImportArn!"),
    "ListImportsMaxLimit": Integer(min=1, max=25),
    "ImportNextToken": String(min=112, max=1024, pattern="([0-9a-f]{16})+"),
    "ListImportsInput": Structure("TableArn PageSize:ListImportsMaxLimit NextToken:ImportNextToken"),
}

OPERATIONS = {
    "CreateTable": "CreateTableInput",
    "DescribeTable": "DescribeTableInput",
    "ListTables": "ListTablesInput",
    "UpdateTable": "UpdateTableInput",
    "DeleteTable": "DeleteTableInput",
    "GetItem": "GetItemInput",
    "PutItem": "PutItemInput",
    "UpdateItem": "UpdateItemInput",
    "DeleteItem": "DeleteItemInput",
    "Query": "QueryInput",
    "Scan": "ScanInput",
    "SearchVectors": "SearchVectorsInput",
    "BatchGetItem": "BatchGetItemInput",
    "BatchWriteItem": "BatchWriteItemInput",
    "TransactGetItems": "TransactGetItemsInput",
    "TransactWriteItems": "TransactWriteItemsInput",
    "ExecuteStatement": "ExecuteStatementInput",
    "BatchExecuteStatement": "BatchExecuteStatementInput",
    "ExecuteTransaction": "ExecuteTransactionInput",
    "UpdateTimeToLive": "UpdateTimeToLiveInput",
    "DescribeTimeToLive": "DescribeTimeToLiveInput",
    "TagResource": "TagResourceInput",
    "UntagResource": "UntagResourceInput",
    "ListTagsOfResource": "ListTagsOfResourceInput",
    "PutResourcePolicy": "PutResourcePolicyInput",
    "GetResourcePolicy": "GetResourcePolicyInput",
    "DeleteResourcePolicy": "DeleteResourcePolicyInput",
    "DescribeContributorInsights": "DescribeContributorInsightsInput",
    "UpdateContributorInsights": "UpdateContributorInsightsInput",
    "ListContributorInsights": "ListContributorInsightsInput",
    "EnableKinesisStreamingDestination": "KinesisStreamingDestinationInput",
    "DisableKinesisStreamingDestination": "KinesisStreamingDestinationInput",
    "UpdateKinesisStreamingDestination": "UpdateKinesisStreamingDestinationInput",
    "DescribeKinesisStreamingDestination": "DescribeKinesisStreamingDestinationInput",
    "ListGlobalTables": "ListGlobalTablesInput",
    "DescribeGlobalTable": "DescribeGlobalTableInput",
    "DescribeGlobalTableSettings": "DescribeGlobalTableSettingsInput",
    "UpdateGlobalTable": "UpdateGlobalTableInput",
    "DescribeTableReplicaAutoScaling": "DescribeTableReplicaAutoScalingInput",
    "DescribeLimits": "DescribeLimitsInput",
    "DescribeEndpoints": "DescribeEndpointsRequest",
    "ListStreams": "ListStreamsInput",
    "DescribeStream": "DescribeStreamInput",
    "GetShardIterator": "GetShardIteratorInput",
    "GetRecords": "GetRecordsInput",
    "CreateBackup": "CreateBackupInput",
    "DescribeBackup": "DescribeBackupInput",
    "ListBackups": "ListBackupsInput",
    "DeleteBackup": "DeleteBackupInput",
    "RestoreTableFromBackup": "RestoreTableFromBackupInput",
    "RestoreTableToPointInTime": "RestoreTableToPointInTimeInput",
    "DescribeContinuousBackups": "DescribeContinuousBackupsInput",
    "UpdateContinuousBackups": "UpdateContinuousBackupsInput",
    "ExportTableToPointInTime": "ExportTableToPointInTimeInput",
    "DescribeExport": "DescribeExportInput",
    "ListExports": "ListExportsInput",
    "ImportTable": "ImportTableInput",
    "DescribeImport": "DescribeImportInput",
    "ListImports": "ListImportsInput",
}

NOT_HERE = {
    "CreateGlobalTable": "it has one region",
    "UpdateGlobalTableSettings": "it has one region",
    "UpdateTableReplicaAutoScaling": "it has one region",
    "StartBulkPutItems": "use BatchWriteItem",
    "DescribeBulkOperation": "it has no bulk operations",
    "ListBulkOperations": "it has no bulk operations",
    "CancelBulkOperation": "it has no bulk operations",
}
"""The operations that the service has and the engine has not, and why, or what to do instead."""

OF_STREAMS = frozenset({"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"})
"""The operations of DynamoDB Streams, which the protocol counts as a service of its own."""
