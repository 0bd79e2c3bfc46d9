"""What a request asks for: the operation that its header X-Amz-Target names, as `{service}.{operation}`."""

from dynamix.engine.faults import Fault, unknown_operation
from dynamix.engine.requests.shape_table import OF_STREAMS

_TABLES = "DynamoDB_20120810."
_STREAMS = "DynamoDBStreams_20120810."


def operation_of(target: str) -> str:
    """The operation of DynamoDB or of DynamoDB Streams that is asked for. Raises Fault where there can be none."""
    for service in (_TABLES, _STREAMS):
        if target.startswith(service):
            operation = target.removeprefix(service)
            if (operation in OF_STREAMS) is (service == _STREAMS):
                return operation
    raise unknown_operation(target) if target else Fault("UnknownOperationException", "")
