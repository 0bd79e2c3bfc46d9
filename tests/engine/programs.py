"""Random programs against a table: some writes, then requests of all kinds.

All choices come from one `random.Random`: hypothesis gives one that it can replay, the long run one with a seed. Now
and then a request has a mistake, but at most one, so that it is clear what an answer means: a value of another
type, a malformed key, a damaged expression, parameters that do not go together.
"""

import random
from typing import Any, TypeAlias

from engine.drawn_expressions import Expressions
from engine.pools import (
    KEYS,
    MALFORMED,
    OPERATORS,
    SCALARS,
    TYPES,
    USUAL_TYPE,
    AttributeValue,
    Index,
    Table,
    order,
)

Request: TypeAlias = tuple[str, dict[str, Any]]


class Generator:
    """Draws requests against one table."""

    def __init__(self, rng: random.Random, table: Table) -> None:
        self.rng = rng
        self.table = table
        self._mistaken = False

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def mistake(self, probability: float) -> bool:
        """Whether to make a mistake here: at most one in a request, so that it is clear what an answer means."""
        if self._mistaken or not self.chance(probability):
            return False
        self._mistaken = True
        return True

    def program(self, length: int) -> list[Request]:
        """Some writes, then requests of all kinds."""
        start: list[Request] = [self.put_item(plain=True) for _ in range(min(length, self.rng.choice([1, 2, 3, 4])))]
        return start + [self.request() for _ in range(length - len(start))]

    def request(self) -> Request:
        kinds = [
            self.put_item,
            self.get_item,
            self.update_item,
            self.update_item,
            self.update_item,
            self.delete_item,
            self.query,
            self.query,
            self.scan,
            self.batch_get_item,
            self.batch_write_item,
            self.transact_get_items,
            self.transact_write_items,
        ]
        self._mistaken = False
        return self.rng.choice(kinds)()

    # values

    def value(self, kind: str = "?", depth: int = 0) -> AttributeValue:
        if self.mistake(0.004):
            return self.rng.choice(MALFORMED)
        if kind == "?":
            kind = self.rng.choice(TYPES if depth < 3 else list(SCALARS))
        if kind in SCALARS:
            return {kind: self.rng.choice(SCALARS[kind])}
        if kind in ("SS", "NS", "BS"):
            pool = [text for text in SCALARS[kind[0]] if text not in ("", "-0")]
            chosen = self.rng.sample(pool, self.rng.choice([1, 2, 3]))
            return {kind: chosen}
        size = self.rng.choice([0, 1, 2, 3])
        if kind == "L":
            return {"L": [self.value(depth=depth + 1) for _ in range(size)]}
        names = self.rng.sample(["x", "y", "num", "list_", "map_"], size)
        return {"M": {name: self.value(USUAL_TYPE.get(name, "?"), depth + 1) for name in names}}

    def key_value(self, name: str) -> AttributeValue:
        if self.mistake(0.01):
            return self.rng.choice([{"S": ""}, {"N": "1"}, {"S": "x"}, {"BOOL": True}, {"S": "x" * 2049}, *MALFORMED])
        kind = self.table.types[name]
        return {kind: self.rng.choice(KEYS[kind])}

    def key(self, keys: list[str] | None = None) -> dict[str, AttributeValue]:
        key = {name: self.key_value(name) for name in keys or self.table.keys}
        if self.mistake(0.01):
            key.pop(self.rng.choice(list(key)))
        if self.mistake(0.005):
            key["other"] = {"S": "x"}
        return key

    def item(self) -> dict[str, AttributeValue]:
        item = self.key()
        for name in self.table.types:
            if name not in self.table.keys and self.chance(0.7):
                item[name] = self.key_value(name) if name != "num" or self.chance(0.3) else self.value("N")
        for name, kind in USUAL_TYPE.items():
            if name not in self.table.types and self.chance(0.4):
                item[name] = self.value(kind if self.chance(0.9) else "?")
        if self.chance(0.05):
            item["str"] = {"S": "y" * self.rng.choice([900, 1024, 3000, 5000])}
        return item

    # requests

    def _common(self, **members: Any) -> dict[str, Any]:
        request = {"TableName": self.table.name, **members}
        if self.chance(0.4):
            request["ReturnConsumedCapacity"] = self.rng.choice(["TOTAL", "INDEXES", "NONE"])
        return request

    def _writing(self, request: dict[str, Any], returns: list[str]) -> dict[str, Any]:
        if self.chance(0.6):
            request["ReturnValues"] = "UPDATED_OLD" if self.mistake(0.03) else self.rng.choice(returns)
        if self.chance(0.1):
            request["ReturnItemCollectionMetrics"] = self.rng.choice(["SIZE", "NONE"])
        if self.chance(0.3) and "Expected" not in request:
            request["ReturnValuesOnConditionCheckFailure"] = self.rng.choice(["ALL_OLD", "NONE"])
        return request

    def _conditional(self, request: dict[str, Any], expressions: Expressions, *, legacy: bool = True) -> None:
        """Adds a condition now and then, sometimes of the older kind, rarely of both."""
        if legacy and self.chance(0.15):
            request["Expected"] = self.expected()
            if len(request["Expected"]) > 1 or self.mistake(0.1):
                request["ConditionalOperator"] = self.rng.choice(["AND", "OR"])
        old = "AttributeUpdates" in request or "Expected" in request
        if self.mistake(0.05) if old else self.chance(0.5):
            request["ConditionExpression"] = expressions.condition()

    def put_item(self, *, plain: bool = False) -> Request:
        request = self._common(Item=self.item())
        if plain:
            return "PutItem", request
        expressions = Expressions(self)
        self._conditional(request, expressions)
        expressions.add_to(request)
        return "PutItem", self._writing(request, ["NONE", "ALL_OLD", "ALL_OLD"])

    def delete_item(self) -> Request:
        request = self._common(Key=self.key())
        expressions = Expressions(self)
        self._conditional(request, expressions)
        expressions.add_to(request)
        return "DeleteItem", self._writing(request, ["NONE", "ALL_OLD", "ALL_OLD"])

    def update_item(self) -> Request:
        request = self._common(Key=self.key())
        expressions = Expressions(self)
        if self.chance(0.15):
            request["AttributeUpdates"] = self.attribute_updates()
        if "AttributeUpdates" not in request or self.mistake(0.05):
            request["UpdateExpression"] = expressions.update()
        self._conditional(request, expressions, legacy="AttributeUpdates" in request or self.mistake(0.1))
        expressions.add_to(request)
        if self.mistake(0.02):
            request.pop("UpdateExpression", None)
        returns = ["NONE", "ALL_OLD", "ALL_NEW", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]
        return "UpdateItem", self._writing(request, returns)

    def get_item(self) -> Request:
        request = self._common(Key=self.key())
        expressions = Expressions(self)
        self._projected(request, expressions)
        expressions.add_to(request)
        if self.chance(0.3):
            request["ConsistentRead"] = self.chance(0.5)
        return "GetItem", request

    def _projected(self, request: dict[str, Any], expressions: Expressions, names: list[str] | None = None) -> None:
        """Asks for some attributes only, now and then, in the old or the new way."""
        old = any(name in request for name in ("KeyConditions", "QueryFilter", "ScanFilter"))
        new = any(name in request for name in ("KeyConditionExpression", "FilterExpression"))
        names = names or [*USUAL_TYPE, *self.table.types]
        if self.mistake(0.02) if new else self.chance(0.1):
            request["AttributesToGet"] = self.rng.sample(names, min(len(names), self.rng.choice([1, 2])))
            old = True
        if self.mistake(0.02) if old else self.chance(0.3):
            request["ProjectionExpression"] = expressions.projection(names)

    def _held(self, index: Index | None) -> list[str]:
        """The attributes that an index holds, or, rarely, all."""
        everything = [*USUAL_TYPE, *(name for name in self.table.types if name not in USUAL_TYPE)]
        if index is None or index.projection["ProjectionType"] == "ALL" or self.mistake(0.05):
            return everything
        return list(dict.fromkeys([*self.table.keys, *index.keys, *index.projection.get("NonKeyAttributes", [])]))

    def query(self) -> Request:
        index = self.rng.choice(self.table.indexes) if self.table.indexes and self.chance(0.6) else None
        keys = index.keys if index else self.table.keys
        held = self._held(index)
        filtered = [name for name in held if name not in keys or self.mistake(0.01)]
        request = self._common()
        expressions = Expressions(self)
        if self.chance(0.15):
            request["KeyConditions"] = self.key_conditions(keys)
            if self.chance(0.4) and filtered:
                self._filtered(request, "QueryFilter", filtered)
        else:
            request["KeyConditionExpression"] = expressions.key_condition(keys)
            if self.chance(0.3) and filtered:
                request["FilterExpression"] = expressions.condition(filtered)
        if self.chance(0.3):
            request["ScanIndexForward"] = self.chance(0.3)
        self._searching(request, index, held, expressions)
        return "Query", request

    def scan(self) -> Request:
        index = self.rng.choice(self.table.indexes) if self.table.indexes and self.chance(0.4) else None
        held = self._held(index)
        request = self._common()
        expressions = Expressions(self)
        if self.chance(0.15):
            self._filtered(request, "ScanFilter", held)
        elif self.chance(0.5):
            request["FilterExpression"] = expressions.condition(held)
        if self.chance(0.1):
            total = self.rng.choice([1, 2, 3])
            request |= {"TotalSegments": total, "Segment": total if self.mistake(0.1) else self.rng.randrange(total)}
        self._searching(request, index, held, expressions)
        return "Scan", request

    def _filtered(self, request: dict[str, Any], member: str, names: list[str]) -> None:
        chosen = self.rng.sample(names, min(len(names), self.rng.choice([1, 1, 2])))
        request[member] = {name: self.comparison(name) for name in chosen}
        if self.chance(0.5) if len(chosen) > 1 else self.mistake(0.05):
            request["ConditionalOperator"] = self.rng.choice(["AND", "OR"])

    def _searching(
        self, request: dict[str, Any], index: Index | None, held: list[str], expressions: Expressions
    ) -> None:
        if index:
            request["IndexName"] = index.name
        elif self.mistake(0.01):
            request["IndexName"] = "nonsense"
        self._projected(request, expressions, held)
        if self.chance(0.15):
            request["Select"] = self._select(request, index)
        if self.chance(0.3):
            request["Limit"] = self.rng.choice([1, 2, 3, 4])
        if self.chance(0.2):
            weak = index is not None and not index.local
            request["ConsistentRead"] = self.mistake(0.2) if weak else self.chance(0.5)
        if self.mistake(0.05):
            keys = [*self.table.keys, *(index.keys if index else [])]
            request["ExclusiveStartKey"] = self.key(list(dict.fromkeys(keys)))
        if self.mistake(0.01):
            request["ConditionalOperator"] = self.rng.choice(["AND", "OR"])
        expressions.add_to(request)

    def _select(self, request: dict[str, Any], index: Index | None) -> str:
        """What to select, so that it goes with the rest, if it is no mistake."""
        if self.mistake(0.1):
            return self.rng.choice(["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"])
        if "ProjectionExpression" in request or "AttributesToGet" in request:
            return "SPECIFIC_ATTRIBUTES"
        if index is None:
            return self.rng.choice(["ALL_ATTRIBUTES", "COUNT"])
        if index.local or index.projection["ProjectionType"] == "ALL":
            return self.rng.choice(["ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "COUNT"])
        return self.rng.choice(["ALL_PROJECTED_ATTRIBUTES", "COUNT"])

    def batch_get_item(self) -> Request:
        keys = [self.key() for _ in range(self.rng.choice([1, 2, 3]))]
        if not self.mistake(0.1):
            keys = [key for number, key in enumerate(keys) if key not in keys[:number]]
        part: dict[str, Any] = {"Keys": keys}
        expressions = Expressions(self)
        self._projected(part, expressions)
        expressions.add_to(part)
        request: dict[str, Any] = {"RequestItems": {self.table.name: part}}
        if self.chance(0.4):
            request["ReturnConsumedCapacity"] = self.rng.choice(["TOTAL", "INDEXES"])
        return "BatchGetItem", request

    def batch_write_item(self) -> Request:
        writes: list[dict[str, Any]] = []
        seen: list[Any] = []
        for _ in range(self.rng.choice([1, 2, 3])):
            item = self.item()
            key = {name: item[name] for name in self.table.keys if name in item}
            if key in seen and not self.mistake(0.1):
                continue
            seen.append(key)
            writes.append({"PutRequest": {"Item": item}} if self.chance(0.6) else {"DeleteRequest": {"Key": key}})
        request: dict[str, Any] = {"RequestItems": {self.table.name: writes}}
        if self.chance(0.4):
            request["ReturnConsumedCapacity"] = self.rng.choice(["TOTAL", "INDEXES"])
        return "BatchWriteItem", request

    def transact_get_items(self) -> Request:
        gets = []
        for _ in range(self.rng.choice([1, 2, 3])):
            get: dict[str, Any] = {"TableName": self.table.name, "Key": self.key()}
            expressions = Expressions(self)
            if self.chance(0.3):
                get["ProjectionExpression"] = expressions.projection([*USUAL_TYPE, *self.table.types])
            expressions.add_to(get)
            gets.append({"Get": get})
        request: dict[str, Any] = {"TransactItems": gets}
        if self.chance(0.4):
            request["ReturnConsumedCapacity"] = self.rng.choice(["TOTAL", "INDEXES"])
        return "TransactGetItems", request

    def transact_write_items(self) -> Request:
        actions: list[dict[str, Any]] = []
        seen: list[Any] = []
        for _ in range(self.rng.choice([1, 2, 3])):
            kind = self.rng.choice(["Put", "Update", "Delete", "ConditionCheck"])
            action: dict[str, Any] = {"TableName": self.table.name}
            expressions = Expressions(self)
            if kind == "Put":
                action["Item"] = self.item()
            else:
                action["Key"] = self.key()
            key = {name: action.get("Item", action.get("Key")).get(name) for name in self.table.keys}
            if key in seen and not self.mistake(0.1):
                continue
            seen.append(key)
            if kind == "Update":
                action["UpdateExpression"] = expressions.update()
            if kind == "ConditionCheck":
                action["ConditionExpression"] = expressions.condition()
            else:
                self._conditional(action, expressions, legacy=False)
            if self.chance(0.3):
                action["ReturnValuesOnConditionCheckFailure"] = self.rng.choice(["ALL_OLD", "NONE"])
            expressions.add_to(action)
            actions.append({kind: action})
        request: dict[str, Any] = {"TransactItems": actions}
        if self.chance(0.4):
            request["ReturnConsumedCapacity"] = self.rng.choice(["TOTAL", "INDEXES"])
        return "TransactWriteItems", request

    # the older parameters

    def attribute_updates(self) -> dict[str, Any]:
        updates: dict[str, Any] = {}
        for name in self.rng.sample(list(USUAL_TYPE), self.rng.choice([1, 1, 2])):
            kind = USUAL_TYPE[name]
            actions = ["PUT", None, "DELETE"]
            if kind in ("N", "L", "SS", "NS", "BS") or self.mistake(0.05):
                actions += ["ADD", "ADD"]
            action = self.rng.choice(actions)
            update: dict[str, Any] = {} if action is None else {"Action": action}
            if action != "DELETE" or (self.chance(0.5) if kind in ("SS", "NS", "BS") else self.mistake(0.05)):
                update["Value"] = self.value(kind)
            updates[name] = update
        return updates

    def expected(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name in self.rng.sample(list(USUAL_TYPE), self.rng.choice([1, 1, 2])):
            value = self.value(USUAL_TYPE[name])
            if self.chance(0.5):
                result[name] = self.comparison(name)
            elif self.mistake(0.1):
                result[name] = self.rng.choice([{}, {"Exists": True}, {"Exists": False, "Value": value}])
            else:
                result[name] = self.rng.choice([{"Value": value}, {"Exists": False}, {"Exists": True, "Value": value}])
        return result

    def comparison(self, name: str) -> dict[str, Any]:
        """One of the older comparisons, of a value whose type its operator takes, if it is no mistake."""
        operator = self.rng.choice(OPERATORS)
        count = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2, "IN": self.rng.choice([1, 2])}.get(operator, 1)
        kind = USUAL_TYPE.get(name) or self.table.types[name]
        allowed = {"EQ": TYPES, "NE": TYPES, "BEGINS_WITH": ["S", "B"]}.get(operator, ["S", "N", "B"])
        if kind not in allowed and not self.mistake(0.05):
            kind = self.rng.choice(allowed)
        if self.mistake(0.02):
            count += 1
        values = [self.value(kind) for _ in range(count)]
        if operator == "BETWEEN" and not self.mistake(0.05):
            values.sort(key=order)
        return {"ComparisonOperator": operator, **({"AttributeValueList": values} if values else {})}

    def key_conditions(self, keys: list[str]) -> dict[str, Any]:
        result: dict[str, Any] = {
            keys[0]: {"ComparisonOperator": "EQ", "AttributeValueList": [self.key_value(keys[0])]}
        }
        if len(keys) > 1 and self.chance(0.7):
            operators = ["EQ", "LE", "LT", "GE", "GT", "BETWEEN"]
            if self.table.types[keys[1]] != "N" or self.mistake(0.05):
                operators.append("BEGINS_WITH")
            if self.mistake(0.05):
                operators = ["NE", "IN", "CONTAINS"]
            operator = self.rng.choice(operators)
            values = [self.key_value(keys[1]) for _ in range(2 if operator == "BETWEEN" else 1)]
            if not self.mistake(0.05):
                values.sort(key=order)
            result[keys[1]] = {"ComparisonOperator": operator, "AttributeValueList": values}
        return result
