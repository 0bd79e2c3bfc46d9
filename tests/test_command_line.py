"""The AWS command line interface against `dynamix serve`, where it is found."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from dynamix.engine import Engine
from dynamix.engine.http.server import Server

TABLE = ["--attribute-definitions", "AttributeName=k,AttributeType=S", "--key-schema", "AttributeName=k,KeyType=HASH"]


def test_the_command_line_of_aws_is_served() -> None:
    """A table is made, and the pages of a scan are put together."""
    program = shutil.which("aws")
    if program is None:
        pytest.skip("the AWS command line interface is not on the path")
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    engine = Engine()
    with Server(engine) as server:
        endpoint = ["--endpoint-url", "http://{}:{}".format(*server.address)]

        def aws(*arguments: str) -> Any:
            done = subprocess.run(
                [program, "dynamodb", *arguments, *endpoint, "--output", "json"],
                env={**kept, **keys},
                capture_output=True,
                text=True,
                timeout=200,
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout or "{}")

        made = aws("create-table", "--table-name", "notes", *TABLE, "--billing-mode", "PAY_PER_REQUEST")
        assert made["TableDescription"]["TableStatus"] == "CREATING"
        for number in range(5):
            put = {"TableName": "notes", "Item": {"k": {"S": str(number)}}}
            assert engine.handle("PutItem", json.dumps(put).encode())[0] == 200
        found = aws("scan", "--table-name", "notes", "--page-size", "2", "--consistent-read")
        assert sorted(item["k"]["S"] for item in found["Items"]) == ["0", "1", "2", "3", "4"]
    engine.close()
