"""The streams of the engine tell of random writes what those of DynamoDB Local tell.

The suite tries the same programs in every run; DYNAMIX_DIFFERENTIAL=5000 tries so many, and `stream_programs.py`, run
as a program, 20,000.
"""

import os
import random

from dynamix.engine import Engine
from engine.differential import Local, asking
from engine.stream_programs import Follower, clear_both, create, difference, streamed, writes

EXAMPLES = int(os.environ.get("DYNAMIX_DIFFERENTIAL", "24"))
TABLES = 4


def test_streams_tell_the_same(dynamodb_local: tuple[str, int]) -> None:
    """Records of random writes are the same: names, keys, images, sizes, and their order for each item."""
    local, own = Local(*dynamodb_local), Engine()
    engine = asking(own)
    compared = 0
    for number in range(TABLES):
        table, definition = streamed(random.Random(number), f"streams-{os.getpid()}-{number}")
        create(definition, local, engine)
        sides = [(ask, Follower(ask, table.name)) for ask in (local, engine)]
        for start in range(EXAMPLES // TABLES):
            program = writes(random.Random(f"{number}/{start}"), table, 8)
            found, is_compared = difference(table, program, *sides)
            assert found is None, f"{found}\n  program: {program}\n  table: {definition}"
            compared += is_compared
            if not is_compared:
                clear_both(table, *sides)
        for ask, _ in sides:
            ask("DeleteTable", {"TableName": table.name})
    assert compared > EXAMPLES // 3
    local.close()
    own.close()
