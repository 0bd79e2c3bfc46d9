"""What a query or scan tells of itself without sending anything."""

import asyncio
from typing import Any

import pytest
from forum import Thread, create_threads
from scripted import Holding, serving

import dynamix
from places import Place

SCIENCE = Thread.query().where(Thread.forum_id == "science")


CURSOR = dynamix.Cursor("thread", None, {"forum_id": {"S": "science"}, "thread_id": {"S": "t"}})


@pytest.mark.parametrize(
    "query",
    [
        SCIENCE.filter(Thread.title == "x").limit(3).order(asc=False),
        SCIENCE.where(Thread.thread_id > "a").start_key(CURSOR).consistent(),
        Thread.query().where(Thread.state == "open").page_size(5),
        Thread.scan(Thread.title).filter(Thread.title.exists()),
    ],
    ids=repr,
)
def test_the_request_is_the_one_that_is_sent(query: Any) -> None:
    """What explain() shows is what goes out, limits and cursors included; explain() itself sends nothing."""
    held = Holding("Query", "Scan", "DescribeTable")
    with serving(held):
        explained = query.explain()
        assert held.count == 0

        async def ask() -> tuple[str, dict[str, Any]]:
            asking = asyncio.ensure_future(query.aget_items())
            request = await held.anext()
            request.answer({"Items": [], "Count": 0, "ScannedCount": 0})
            await asking
            return request.target, request.body

        assert asyncio.run(ask()) == (explained.operation, explained.request)


def test_what_it_costs_and_what_to_think_of(place: Place) -> None:
    """Units are estimated from the description of the table; a filter, a scan, an index taken and a whole item are
    warned of."""
    create_threads(3)
    table = place.call("DescribeTable", TableName=place.table_name(Thread))["Table"]
    table |= {"ItemCount": 1000, "TableSizeBytes": 4096 * 1000}
    whole = SCIENCE.explain(table)
    assert whole.units == (0.5, 500.0)
    assert whole.index is whole.filter is whole.projection is None
    assert whole.key_condition == "Thread.forum_id = 'science'"
    assert SCIENCE.where(Thread.thread_id == "t0001").explain(table).units == (0.5, 0.5)
    assert SCIENCE.limit(10).consistent().explain(table).units == (1.0, 10.0)
    assert SCIENCE.max_pages(1).page_size(4).explain(table).units == (0.5, 2.0)
    assert Thread.scan().explain(table).units == (500.0, 500.0)
    assert SCIENCE.explain().units is None
    (warning,) = Thread.scan(Thread.title).explain().warnings
    assert warning == "a scan reads the whole table, whatever it filters"
    filtered, taken = Thread.query().where(Thread.user_id == "u").filter(Thread.title == "x").explain().warnings
    assert filtered.startswith("the filter on Thread.title leaves out")
    assert taken.startswith("the index 'by_user' was taken")
    assert SCIENCE.explain().warnings == ("all fields are sent; select() sends fewer, though reading costs the same",)
    assert "Query of" in str(whole)
    assert "units:         0.5 to 500" in str(whole)
    with pytest.raises(dynamix.WrongTypeError, match="answer to DescribeTable"):
        SCIENCE.explain({"Table": table})
    with pytest.raises(dynamix.InvalidQueryError):
        Thread.query().where(Thread.title == "x").explain()
