"""Models as fields of pydantic's models, and as bodies and responses of FastAPI."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, FastAPI
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

import dynamix
from dynamix import (
    CharField,
    DateTimeField,
    DecimalField,
    IntegerField,
    KeyField,
    ListField,
    Model,
    SetField,
    TypedModel,
    ValuesOf,
    VersionField,
)


class Line(TypedModel):
    """One line of an order."""

    number: IntegerField[int] = IntegerField(hash_key=True, minimum=1)
    what: CharField[str] = CharField(required=True, pattern="[a-z {}]+")
    price: DecimalField[Decimal | None] = DecimalField(default=None, places=2)


class Order(Model):
    """An order."""

    validate_json = CharField(hash_key=True, name="id")
    status = CharField(choices=["open", "sent"], default="open")
    at = DateTimeField(utc=True)
    changed = DateTimeField(auto_now=True)
    tags = SetField(of=str, default=set)
    notes = ListField(of=CharField(max_length=3))
    token = CharField(hidden=True)
    label = KeyField("O#{validate_json}")
    version = VersionField()


class Cart(BaseModel):
    """A model of pydantic's that has some of ours."""

    order: Order
    lines: list[Line] = []
    gift: Line | None = None


def refusals(cart: dict[str, Any]) -> list[tuple[tuple[int | str, ...], str]]:
    """Place and kind of each error."""
    with pytest.raises(ValidationError) as refused:
        Cart.model_validate(cart)
    return [(error["loc"], error["type"]) for error in refused.value.errors()]


def test_a_model_is_a_field() -> None:
    """It is taken as an instance or made of a dict, of JSON's values and of Python's, and written back as both."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    line = Line(number=1, what="tea", price=Decimal("2.5"))
    cart = Cart.model_validate(
        {"order": {"validate_json": "1", "at": at, "tags": ["b", "a"], "token": "t"}, "lines": [line], "gift": None}
    )
    assert cart.lines[0] is line
    assert (cart.order.at, cart.order.tags, cart.order.token, cart.order.label) == (at, {"a", "b"}, "t", "O#1")
    son = json.loads(cart.model_dump_json())
    assert son == {"order": cart.order.to_son(), "lines": [line.to_son()], "gift": None}
    assert cart.model_dump()["order"]["at"] == at
    assert cart.model_dump()["lines"] == [{"number": 1, "what": "tea", "price": Decimal("2.5")}]
    assert cart.model_dump(mode="json", include={"order": {"tags", "version"}}) == {
        "order": {"tags": ["a", "b"], "version": None}
    }
    assert cart.model_dump(mode="json", exclude={"lines", "order"}, exclude_none=True) == {}
    assert Cart.model_validate_json(json.dumps(son)).lines == cart.lines
    assert cart.model_copy(deep=True) == cart


def test_errors_are_pydantics_own() -> None:
    """There is one for each field that is wrong, with its place; of what is missing, unknown and no object, too."""
    order = {"validate_json": "1"}
    assert refusals({"order": {**order, "status": "lost", "at": "x", "notes": ["a", "long"], "tag": 1}}) == [
        (("order", "status"), "invalid_value"),
        (("order", "at"), "invalid_value"),
        (("order", "notes"), "invalid_value"),
        (("order", "tag"), "extra_forbidden"),
    ]
    assert refusals({"order": order, "lines": [{"number": "1", "what": "{x"}, {"what": None}, 3]}) == [
        (("lines", 0, "number"), "wrong_type"),
        (("lines", 1, "number"), "missing"),
        (("lines", 1, "what"), "invalid_value"),
        (("lines", 2), "dict_type"),
    ]
    assert refusals({"order": {**order, "label": "O#2"}}) == [(("order", "label"), "invalid_value")]
    assert refusals({"order": {"validate_json": "a#b"}}) == [(("order", "label"), "invalid_value")]
    with pytest.raises(ValidationError, match=r"'\[a-z {}\]\+' as a whole"):
        TypeAdapter(Line).validate_python({"number": 1, "what": "Tea"})


def test_the_json_schema_is_the_models_own() -> None:
    """What pydantic shows of a model is what `json_schema` says of it, for each way, under a name of its own."""
    for mode in ("validation", "serialization"):
        schema = Cart.model_json_schema(mode=mode)
        Draft202012Validator.check_schema(schema)
        assert schema["$defs"] == {"Order": Order.json_schema(mode=mode), "Line": Line.json_schema(mode=mode)}
        assert schema["properties"]["order"] == {"$ref": "#/$defs/Order"}


def test_values_of_a_model() -> None:
    """A dict of chosen fields is validated likewise; of a partial one, what no update can set is no part."""
    chosen = TypeAdapter(Annotated[dict[str, Any], ValuesOf(Line, exclude=[Line.number])])
    assert chosen.validate_python({"what": "tea", "price": "2.5"}) == {"what": "tea", "price": Decimal("2.50")}
    assert chosen.json_schema()["required"] == ["what"]
    assert chosen.dump_python({"what": "tea", "price": Decimal(2)}, mode="json") == {"what": "tea", "price": "2"}
    with pytest.raises(ValidationError, match="extra_forbidden"):
        chosen.validate_python({"what": "tea", "number": 1})

    changes = TypeAdapter(Annotated[dict[str, Any], ValuesOf(Order, partial=True)])
    assert changes.validate_python({}) == {}
    assert changes.validate_python({"at": None, "tags": ["a"]}) == {"at": None, "tags": {"a"}}
    schema = changes.json_schema()
    assert list(schema["properties"]) == ["status", "at", "tags", "notes", "token"]
    assert schema["properties"]["status"] == {"type": ["string", "null"], "enum": ["open", "sent", None]}
    assert "required" not in schema
    with pytest.raises(dynamix.UnknownNameError, match="'nmber'"):
        ValuesOf(Line, include=["nmber"])
    with pytest.raises(dynamix.ModelDefinitionError, match="takes a model"):
        ValuesOf(Cart)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="a value is required"):
        TypeAdapter(Annotated[dict[str, Any], ValuesOf(Line, partial=True)]).validate_python({"what": None})


def test_bodies_and_responses(place: object) -> None:
    """A body that is wrong is answered 422 with the names of all fields; a right one is stored, changed and shown."""
    dynamix.create_table(Line)
    app = FastAPI()

    @app.post("/lines", status_code=201)
    def create(line: Annotated[Line, Body()]) -> Line:
        return line.save()

    @app.patch("/lines/{number}")
    def change(number: int, changes: Annotated[dict[str, Any], ValuesOf(Line, partial=True)]) -> Line:
        return Line.get_or_raise(number=number).replace(**changes).save()

    @app.post("/maybe")
    def maybe(line: Annotated[Line | None, Body()] = None) -> bool:
        return line is None

    @app.get("/lines", response_model_exclude_none=True)
    def every() -> list[Line]:
        return Line.scan().all()

    async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            answer = await client.request(method, path, json=body)
            return answer.status_code, answer.json()

    def asked(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return asyncio.run(ask(method, path, body))

    son = {"number": 1, "what": "tea", "price": "2.50"}
    assert asked("POST", "/lines", son) == (201, son)
    status, refused = asked("POST", "/lines", {"number": 0, "price": [], "colour": 1})
    wrong = {("body", name) for name in ("number", "what", "price", "colour")}
    assert (status, {tuple(error["loc"]) for error in refused["detail"]}) == (422, wrong)
    assert asked("PATCH", "/lines/1", {"price": None}) == (200, {**son, "price": None})
    assert asked("PATCH", "/lines/1", {"number": 2})[0] == 422
    assert asked("GET", "/lines") == (200, [{"number": 1, "what": "tea"}])
    assert asked("POST", "/maybe") == (200, True)
    schemas = asked("GET", "/openapi.json")[1]["components"]["schemas"]
    assert schemas["Line-Input"] == Line.json_schema()
    assert schemas["Line-Output"] == Line.json_schema(mode="serialization")
    assert Line.get(number=1) == Line(number=1, what="tea")


def test_pydantic_is_not_needed() -> None:
    """Models are declared and used without it, and nothing of it is imported before it asks."""
    script = (
        "import sys; sys.modules['pydantic'] = sys.modules['pydantic_core'] = None\n"
        "from dynamix import Model, CharField, ValuesOf\n"
        "class Note(Model):\n    id = CharField(hash_key=True)\n"
        "ValuesOf(Note)\n"
        "print(Note.from_son({'id': 'a'}), Note.json_schema()['required'], 'dynamix.model.pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("Note(id='a') ['id'] False\n", "")
