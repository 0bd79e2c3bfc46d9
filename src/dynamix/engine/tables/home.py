"""The account and the region to which tables belong."""

import msgspec

REGION = "us-east-1"
ACCOUNT = "000000000000"


class Home(msgspec.Struct, frozen=True):
    """The account and region to which the tables of a database belong."""

    account: str = ACCOUNT
    region: str = REGION

    def table_arn(self, name: str) -> str:
        """The ARN of a table."""
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{name}"


HOME = Home()
"""Where tables are unless somebody says otherwise."""
