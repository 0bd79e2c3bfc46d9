"""What the service leaves undone of a batch is sent again; nothing is dropped."""

from typing import Any

import pytest
from script import LONGEST, Reply, Script

import dynamix
from dynamix.model.running import schema_of
from dynamix.operations import batch
from dynamix.operations.gathered import Gathered
from dynamix.operations.pace import Pace
from dynamix.schema.table import Table
from dynamix.wire import Effect, Flow, Together


class Note(dynamix.Model):
    """A small item."""

    name = dynamix.CharField(hash_key=True)


TABLE: Table[Note] = schema_of(Note).at("")
KEYS: list[Any] = [{"name": {"S": str(n)}} for n in range(3)]


def put(keys: list[Any]) -> Flow[Any]:
    """The flow that stores notes."""
    return batch.write(LONGEST, TABLE, ([Note(name=key["name"]["S"]) for key in keys], ()))


def test_unprocessed_keys_are_asked_for_again() -> None:
    """Keys that an answer leaves out are asked for again after a pause; the order stays the caller's."""
    script = Script(
        {"Responses": {"Note": []}, "UnprocessedKeys": {"Note": {"Keys": KEYS}}},
        {"Responses": {"Note": [KEYS[2]]}, "UnprocessedKeys": {"Note": {"Keys": KEYS[:2]}}},
        {"Responses": {"Note": KEYS[1::-1]}, "UnprocessedKeys": {}},
    )
    found = script.run(batch.get(LONGEST, TABLE, KEYS, False))
    assert [note.name for note in found] == ["0", "1", "2"]
    assert [request["RequestItems"]["Note"]["Keys"] for _, request in script.requests] == [KEYS, KEYS, KEYS[:2]]
    assert script.pauses == [0.025, 0.025]  # the second round got something done, so the waits began anew


def test_unprocessed_writes_are_sent_again() -> None:
    """Writes that the service leaves are sent again, and only they."""
    left = [{"PutRequest": {"Item": KEYS[1]}}]
    script = Script({"UnprocessedItems": {"Note": left}}, {"UnprocessedItems": {}})
    script.run(put(KEYS))
    assert script.requests[1][1]["RequestItems"]["Note"] == left
    assert len(script.pauses) == 1


@pytest.mark.parametrize("kind", ["get", "put", "delete"])
def test_what_is_never_done_is_told(kind: str) -> None:
    """Where nothing moves any more, an error says so and holds what is left, in DynamoDB's form."""

    def refuse_the_last(target: str, body: dict[str, Any]) -> dict[str, Any]:
        asked = body["RequestItems"]["Note"]
        if target == "BatchGetItem":
            return {"Responses": {"Note": []}, "UnprocessedKeys": {"Note": {"Keys": asked["Keys"][-1:]}}}
        return {"UnprocessedItems": {"Note": asked[-1:]}}

    flows: dict[str, Flow[Any]] = {
        "get": batch.get(LONGEST, TABLE, KEYS, False),
        "put": put(KEYS),
        "delete": batch.delete(LONGEST, TABLE, KEYS, KEYS),
    }
    script = Script(always=refuse_the_last)
    with pytest.raises(dynamix.BatchIncompleteError, match="1 items undone") as caught:
        script.run(flows[kind])
    assert caught.value.unprocessed == (KEYS[2],)
    assert isinstance(caught.value, dynamix.ThrottledError)
    assert len(script.pauses) > 3


def test_batches_are_cut_by_the_services_limits() -> None:
    """100 keys go in one read, 25 items in one write."""
    many: list[Any] = [{"name": {"S": str(n)}} for n in range(101)]
    script = Script(always=lambda target, body: {"Responses": {"Note": []}})
    assert script.run(batch.get(LONGEST, TABLE, many, True)) == []
    assert [len(request["RequestItems"]["Note"]["Keys"]) for _, request in script.requests] == [100, 1]
    assert all(request["RequestItems"]["Note"]["ConsistentRead"] for _, request in script.requests)
    script = Script(always=lambda target, body: {"UnprocessedItems": {}})
    script.run(batch.delete(LONGEST, TABLE, many, many))
    assert [len(request["RequestItems"]["Note"]) for _, request in script.requests] == [25, 25, 25, 25, 1]


def test_a_write_that_another_took_the_place_of_fares_as_that_one() -> None:
    """Of several writes with one key the error tells all as stored, not stored or unknown, as the last one fared."""
    notes = [Note(name=name) for name in ("a", "b", "a", "c", "b")]

    def answer(_target: str, body: dict[str, Any]) -> Reply:
        names = [entry["PutRequest"]["Item"]["name"]["S"] for entry in body["RequestItems"]["Note"]]
        return dynamix.InvalidRequestError("bad") if "b" in names else {"UnprocessedItems": {}}

    with pytest.raises(dynamix.PartlyAppliedError) as caught:
        Script(always=answer).run(batch.write(LONGEST, TABLE, (notes, ())))
    told = [[id(note) for note in part] for part in (caught.value.stored, caught.value.not_stored)]
    assert told == [[id(notes[0]), id(notes[2])], [id(notes[1]), id(notes[3]), id(notes[4])]]
    assert caught.value.unknown == ()


class Paced(Script):
    """Notes how many flows may run beside each other."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(*replies)
        self.limits: list[int] = []

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Together):
            self.limits.append(effect.limit)
        return super()._perform(effect)


def test_a_block_slows_down_when_it_is_asked_to() -> None:
    """After a round in which the service asked to slow down, half as many requests travel at once; then one more each
    round. Each way of asking counts."""
    pace = Pace()
    limits: list[int] = []
    throttled: list[Reply] = [dynamix.ThrottledError("slow")]
    undone: list[Reply] = [{"UnprocessedItems": {"Note": [{"PutRequest": {"Item": KEYS[0]}}]}}]
    for asked in ([], throttled, undone, [], [], throttled, throttled, throttled, throttled):
        gathered = Gathered()
        for n in range(30):
            gathered.put(TABLE, Note(name=str(n)), {})
        script = Paced(*asked, {"UnprocessedItems": {}}, {"UnprocessedItems": {}})
        script.run(batch.write_round(LONGEST, gathered, pace, 0))
        limits += script.limits
    assert limits == [8, 8, 4, 2, 3, 4, 2, 1, 1]


def test_what_an_interrupted_attempt_may_have_done_stays_doubtful() -> None:
    """A round that is sent again after an interrupt tells what was under way then as unknown, though it is refused now;
    what was made is not sent again."""
    gathered = Gathered()
    for n in range(30):
        gathered.put(TABLE, Note(name=str(n)), {})

    def interrupt(_target: str, body: dict[str, Any]) -> Reply:
        if len(body["RequestItems"]["Note"]) == 5:
            raise KeyboardInterrupt
        return {"UnprocessedItems": {}}

    with pytest.raises(KeyboardInterrupt):
        Script(always=interrupt).run(batch.write_round(LONGEST, gathered, Pace(), 0))
    gathered.writes.interrupted()
    again = Script(dynamix.AccessDeniedError("no more"))
    with pytest.raises(dynamix.PartlyAppliedError) as caught:
        again.run(batch.write_round(LONGEST, gathered, Pace(), 0))
    assert [len(part) for part in (caught.value.stored, caught.value.not_stored, caught.value.unknown)] == [25, 0, 5]
    assert len(again.requests[0][1]["RequestItems"]["Note"]) == 5
