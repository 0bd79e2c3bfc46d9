"""What ARNs name: tables, and streams of tables."""

import re

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.home import ACCOUNT
from dynamix.engine.tables.table import Table

_ARN = re.compile(r"(?>.+?:){5}.+?/.+")  # each part is as short as can be, which never has to be taken back
_TABLE_ARN = re.compile(r"arn:aws:dynamodb:.+:\d+:table/[^/]{3,}", re.ASCII)


def check_table_arn(operation: str, arn: str) -> None:
    """Refuse what is no ARN of a table. Of what is no ARN at all the service says that it is not for the caller."""
    if not _ARN.fullmatch(arn):
        user = f"arn:aws:iam::{ACCOUNT}:user/dynamix"
        refusal = f"User: {user} is not authorized to perform: dynamodb:{operation} on resource: {arn}"
        raise Fault("AccessDeniedException", refusal)
    if not _TABLE_ARN.fullmatch(arn):
        raise invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")


def resource(catalog: Catalog, arn: str) -> Table:
    """The table of this ARN. Raises Fault."""
    table = catalog.find(arn)
    if table is None:
        raise missing(arn)
    return table


def missing(arn: str) -> Fault:
    """The refusal of an ARN of what does not exist."""
    return Fault("ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn} not found")
