"""The expressions of a request: read together, checked in the service's order."""

from typing import Any

import pytest

from dynamix.engine.evaluate.ranges import KeyTest
from dynamix.engine.faults import Fault
from dynamix.engine.requests import expressions
from dynamix.engine.requests.expressions import check_parameters, read

NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
MIXED = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
S, N = {"S": "a"}, {"N": "1"}
EQUALS = {"ComparisonOperator": "EQ", "AttributeValueList": [S]}


def message(target: str, request: dict[str, Any]) -> str:
    """The words in which a request is refused."""

    def read_whole() -> None:
        check_parameters(target, request)
        read(target, request)

    with pytest.raises(Fault) as caught:
        read_whole()
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    "target",
    [
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Scan", "KeysAndAttributes"),
        *("Put", "Update", "Delete", "ConditionCheck", "Get"),
    ],
)
def test_nothing_asked(target: str) -> None:
    """A request without expressions asks for nothing."""
    found = read(target, {"TableName": "t"})
    assert (found.condition, found.filter, found.key_tests, found.update, found.projection) == (None,) * 5


def test_a_whole_update() -> None:
    """Expressions share names and values."""
    found = read(
        "UpdateItem",
        {
            "UpdateExpression": "SET #a = #b + :n",
            "ConditionExpression": "#b < :m",
            NAMES: {"#a": "real a", "#b": "real b"},
            VALUES: {":n": {"N": "1.0"}, ":m": {"N": "5"}},
        },
    )
    item = {"real b": {"N": "4"}}
    assert found.condition is not None
    assert found.update is not None
    assert found.condition(item)
    assert not found.condition({"real b": {"N": "5"}})
    assert not found.condition({})
    assert found.update.attributes == {"real a"}
    assert found.update.apply(item) == {"real a": {"N": "5"}, "real b": {"N": "4"}}


def test_a_whole_query() -> None:
    """The key condition comes as tests of attributes; the filter and the projection say what they name and enter."""
    found = read(
        "Query",
        {
            "KeyConditionExpression": "h = :h AND s > :n",
            "FilterExpression": "a.b = :n OR size(c) = :n",
            "ProjectionExpression": "x.y, z",
            VALUES: {":h": S, ":n": {"N": "01"}},
        },
    )
    assert found.key_tests == {"h": KeyTest("h", "=", (S,)), "s": KeyTest("s", ">", (N,))}
    assert found.filter is not None
    assert found.filter({"a": {"M": {"b": N}}})
    assert not found.filter({})
    assert found.filter_attributes == {"a", "c"}
    assert found.entered == {"a"}
    assert found.projection is not None
    assert found.projection({"z": S, "a": S}) == {"z": S}
    assert found.projection_attributes == {"x", "z"}
    assert found.entered_by_projection == {"x"}


def test_the_older_parameters() -> None:
    """They end up in the same places."""
    found = read(
        "Query",
        {
            "KeyConditions": {"h": EQUALS},
            "QueryFilter": {"f.g": EQUALS, "x": {"ComparisonOperator": "NULL"}},
            "ConditionalOperator": "OR",
            "AttributesToGet": ["a", "b.c"],
        },
    )
    assert found.key_tests == {"h": KeyTest("h", "=", (S,))}
    assert found.filter is not None
    assert found.filter({"f.g": S, "x": S})
    assert not found.filter({"f.g": N, "x": S})
    assert found.filter_attributes == {"f.g", "x"}
    assert found.projection is not None
    assert found.projection({"a": S, "b.c": S, "b": {"M": {"c": S}}}) == {"a": S, "b.c": S}
    assert found.projection_attributes == {"a", "b.c"}
    scanned = read("Scan", {"ScanFilter": {"a": EQUALS}}).filter
    assert scanned is not None
    assert scanned({"a": S})
    expected = read("PutItem", {"Expected": {"a": {"Exists": False}}}).condition
    assert expected is not None
    assert expected({})
    assert not expected({"a": S})


def test_key_conditions_may_stand_beside_expressions() -> None:
    """Only KeyConditionExpression rules them out."""
    found = read("Query", {"KeyConditions": {"h": EQUALS}, "FilterExpression": "a = :v", VALUES: {":v": S}})
    assert found.key_tests == {"h": KeyTest("h", "=", (S,))}
    assert found.filter is not None


@pytest.mark.parametrize(
    ("target", "request_", "parameters"),
    [
        (
            "GetItem",
            {"ProjectionExpression": "a", "AttributesToGet": ["a"]},
            "{AttributesToGet} {ProjectionExpression}",
        ),
        (
            "DeleteItem",
            {"ConditionExpression": "a", "ConditionalOperator": "AND", "Expected": {}},
            "{Expected, ConditionalOperator} {ConditionExpression}",
        ),
        (
            "UpdateItem",
            {"ConditionExpression": "", "UpdateExpression": "", "Expected": {}, "AttributeUpdates": {}, NAMES: {}},
            "{AttributeUpdates, Expected} {UpdateExpression, ConditionExpression}",
        ),
        ("UpdateItem", {"ConditionExpression": "", "AttributeUpdates": {}}, "{AttributeUpdates} {ConditionExpression}"),
        (
            "Query",
            {
                "FilterExpression": "",
                "KeyConditionExpression": "",
                "ProjectionExpression": "",
                "KeyConditions": {},
                "QueryFilter": {},
                "AttributesToGet": [],
                "ConditionalOperator": "OR",
            },
            "{AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions} "
            "{ProjectionExpression, FilterExpression, KeyConditionExpression}",
        ),
        ("Query", {"KeyConditionExpression": "", "QueryFilter": {}}, "{QueryFilter} {KeyConditionExpression}"),
        ("Scan", {"FilterExpression": "", "ScanFilter": {}}, "{ScanFilter} {FilterExpression}"),
    ],
)
def test_old_and_new_do_not_mix(target: str, request_: dict[str, Any], parameters: str) -> None:
    """The first of all checks; it names the parameters in the service's order."""
    older, _, texts = parameters.partition("} ")
    assert message(target, request_) == f"{MIXED}{older}}} Expression parameters: {texts}"


SPECIFIED = "can only be specified when using expressions"
CONDITION = {"ConditionExpression": "a = b"}


@pytest.mark.parametrize(
    ("target", "request_", "words"),
    [
        ("PutItem", {NAMES: {"#a": "a"}}, f"{NAMES} {SPECIFIED}"),
        ("GetItem", {NAMES: {"#a": "a"}, "AttributesToGet": ["a"]}, f"{NAMES} {SPECIFIED}"),
        ("PutItem", {NAMES: {}, VALUES: {}}, f"{NAMES} {SPECIFIED}"),
        ("PutItem", {VALUES: {":v": S}}, f"{VALUES} {SPECIFIED}: ConditionExpression is null"),
        (
            "UpdateItem",
            {VALUES: {":v": S}},
            f"{VALUES} {SPECIFIED}: UpdateExpression and ConditionExpression are null",
        ),
        (
            "Scan",
            {VALUES: {":v": S}, "ProjectionExpression": "a"},
            f"{VALUES} {SPECIFIED}: FilterExpression is null",
        ),
        (
            "Query",
            {VALUES: {":v": S}, "KeyConditions": {"a": EQUALS}},
            f"{VALUES} {SPECIFIED}: FilterExpression and KeyConditionExpression are null",
        ),
        ("Query", {}, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
        (
            "Query",
            {"FilterExpression": "a = b"},
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ),
        ("Query", {"KeyConditions": {}}, "Conditions can be of length 1 or 2 only"),
        ("PutItem", {**CONDITION, NAMES: {}}, f"{NAMES} must not be empty"),
        ("PutItem", {**CONDITION, VALUES: {}}, f"{VALUES} must not be empty"),
        ("PutItem", {**CONDITION, NAMES: {"a": "a"}}, f'{NAMES} contains invalid key: Syntax error; key: "a"'),
        ("PutItem", {**CONDITION, NAMES: {"#é": "a"}}, f'{NAMES} contains invalid key: Syntax error; key: "#é"'),
        (
            "PutItem",
            {**CONDITION, NAMES: {"": "a"}},
            f"{NAMES} contains invalid key: The expression attribute map contains an empty key;",
        ),
        (
            "PutItem",
            {**CONDITION, NAMES: {"#" + "a" * 255: "a"}},
            f"{NAMES} contains invalid key: The expression attribute map contains a key that is too long; "
            "size of key: 256",
        ),
        (
            "PutItem",
            {**CONDITION, NAMES: {"#a": ""}},
            f"{NAMES} contains invalid value: Empty attribute name for key #a",
        ),
        (
            "PutItem",
            {**CONDITION, NAMES: {"#a": "a" * 65536}},
            f"{NAMES} contains invalid value: Attribute name is too large, must be less than 65536 bytes for key #a",
        ),
        ("PutItem", {**CONDITION, VALUES: {":a b": S}}, f'{VALUES} contains invalid key: Syntax error; key: ":a b"'),
        (
            "PutItem",
            {**CONDITION, VALUES: {":v": {"SS": []}}},
            f"{VALUES} contains invalid value: One or more parameter values were invalid: "
            "An string set  may not be empty for key :v",
        ),
        ("PutItem", {"ConditionExpression": ""}, "Invalid ConditionExpression: The expression can not be empty;"),
        (
            "Update",
            {"UpdateExpression": "SET a"},
            'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "a"',
        ),
        (
            "Get",
            {"ProjectionExpression": "a b"},
            'Invalid ProjectionExpression: Syntax error; token: "b", near: "a b"',
        ),
        (
            "ConditionCheck",
            {"ConditionExpression": "a = :z"},
            "Invalid ConditionExpression: An expression attribute value used in expression is not defined; "
            "attribute value: :z",
        ),
        (
            "PutItem",
            {**CONDITION, NAMES: {"#b": "a", "#a": "a"}, VALUES: {":v": S}},
            f"Value provided in {NAMES} unused in expressions: keys: {{#a, #b}}",
        ),
        (
            "PutItem",
            {**CONDITION, VALUES: {":w": S, ":v": S}},
            f"Value provided in {VALUES} unused in expressions: keys: {{:v, :w}}",
        ),
        (
            "Scan",
            {"AttributesToGet": ["a", "b", "a"]},
            "One or more parameter values were invalid: Duplicate value in attribute name: a",
        ),
    ],
)
def test_refused_requests(target: str, request_: dict[str, Any], words: str) -> None:
    """Each check by itself."""
    assert message(target, request_) == words


@pytest.mark.parametrize(
    ("target", "request_", "words"),
    [
        ("PutItem", {"ConditionExpression": "a =", NAMES: {"a": "a"}, VALUES: {":v": {}}}, f"{NAMES} contains invalid"),
        ("PutItem", {"ConditionExpression": "a =", VALUES: {":v": {}, "w": S}}, f"{VALUES} contains invalid key"),
        ("PutItem", {"ConditionExpression": "a =", VALUES: {":v": {}}}, f"{VALUES} contains invalid value"),
        ("PutItem", {"ConditionExpression": "a = :z", NAMES: {"#a": "a"}}, "Invalid ConditionExpression: "),
        ("UpdateItem", {"UpdateExpression": "SET a = :z", "ConditionExpression": "a 2"}, "Invalid UpdateExpression: "),
        ("Scan", {"FilterExpression": "a 2", "ProjectionExpression": "a 3"}, "Invalid FilterExpression: "),
        (
            "Query",
            {"KeyConditionExpression": "a = :z", "ProjectionExpression": "a 3", "FilterExpression": "a = b"},
            "Invalid ProjectionExpression: ",
        ),
        (
            "PutItem",
            {"ConditionExpression": "a = :z AND #z = b"},
            "Invalid ConditionExpression: An expression attribute value",
        ),
    ],
)
def test_the_order_of_checks(target: str, request_: dict[str, Any], words: str) -> None:
    """Names, values, the update before the condition, the filter before the projection, unused placeholders last."""
    assert message(target, request_).startswith(words)


def test_values_of_a_known_text_are_checked_anew() -> None:
    """A text is parsed once; its values come with each request."""
    request = {"ConditionExpression": "begins_with(a, :v)", VALUES: {":v": S}}
    for _ in range(2):
        condition = read("PutItem", request).condition
        assert condition is not None
        assert condition({"a": {"S": "ab"}})
    other = read("PutItem", {**request, VALUES: {":v": {"S": "b"}}}).condition
    assert other is not None
    assert not other({"a": {"S": "ab"}})
    assert "operand type: N" in message("PutItem", {**request, VALUES: {":v": N}})
    assert "attribute value: :v" in message("PutItem", {"ConditionExpression": "begins_with(a, :v)"})


@pytest.mark.parametrize(
    "wrong",
    [
        {VALUES: {}},
        {VALUES: {":m": N}},
        {VALUES: {":n": N, ":m": N}},
        {VALUES: {":n": N, ":-": N}},
        {VALUES: {":n": S}},
        {VALUES: {":n": {"N": "one"}}},
        {NAMES: {}},
        {NAMES: {"#a": "a"}},
        {NAMES: {"#a": "a", "#b": ""}},
        {NAMES: {"#a": "a", "#b": "b", "#c": "c"}},
        {NAMES: {"#a": "a", "#b": "b", "c": "c"}},
        {"Expected": {"a": EQUALS}},
        {"ConditionExpression": "size(#b) < :n AND"},
    ],
)
def test_known_texts_are_refused_in_the_same_words(wrong: dict[str, Any]) -> None:
    """What is kept of a request that was right changes nothing of what is said of one that is not."""
    right = {
        "UpdateExpression": "SET #a = #a + :n",
        "ConditionExpression": "#b < :n",
        NAMES: {"#a": "a", "#b": "b"},
        VALUES: {":n": N},
    }
    expressions._unbound.cache_clear()
    words = message("UpdateItem", {**right, **wrong})
    assert read("UpdateItem", right).update is not None
    assert message("UpdateItem", {**right, **wrong}) == words


def test_names_of_a_known_text_are_looked_up_anew() -> None:
    """The same text with other names means something else."""
    for name in ("a", "b"):
        update = read("UpdateItem", {"UpdateExpression": "REMOVE #n", NAMES: {"#n": name}}).update
        assert update is not None
        assert update.attributes == {name}


def test_long_names_are_not_kept() -> None:
    """Names may have 64 KB each; what is kept between requests stays small."""
    kept = (expressions._compile, expressions._unbound)
    before = [cache.cache_info().currsize for cache in kept]
    update = read("UpdateItem", {"UpdateExpression": "REMOVE #long", NAMES: {"#long": "n" * 60_000}}).update
    assert update is not None
    assert update.attributes == {"n" * 60_000}
    assert [cache.cache_info().currsize for cache in kept] == before
