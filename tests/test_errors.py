"""Each answer of the service becomes the error that it stands for, with all that was told."""

import copy
import inspect
import json
import multiprocessing
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

import dynamix
from dynamix import errors
from dynamix.wire import Response

PREFIX = "com.amazonaws.dynamodb.v20120810#"


def error_of(status: int, body: dict[str, Any] | bytes) -> errors.DynamixError:
    """The error of an answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return errors.from_response(Response(status, raw, "REQUEST1"))


@pytest.mark.parametrize(("code", "kind"), sorted(errors._CLASS_BY_CODE.items()))
def test_every_code_has_its_class(code: str, kind: type[errors.ClientException]) -> None:
    """A code gives its class, with or without the service's prefix, in both spellings of the message."""
    for body in ({"__type": PREFIX + code, "message": "said"}, {"__type": code, "Message": "said"}):
        error = error_of(400, body)
        assert type(error) is kind
        assert isinstance(error, errors.ClientException)
        assert (str(error), error.code, error.status, error.request_id) == ("said", code, 400, "REQUEST1")


def test_an_unknown_code_is_kept() -> None:
    """A code that dynamix does not know is a ClientException that carries it; a 5xx is a service failure."""
    error = error_of(400, {"__type": PREFIX + "BrandNewException"})
    assert type(error) is errors.ClientException
    assert (str(error), error.code) == ("BrandNewException", "BrandNewException")
    assert type(error_of(500, {"__type": "BrandNew"})) is errors.ServiceUnavailableError


def test_an_answer_that_is_not_dynamodbs() -> None:
    """A web page, or JSON of another service, says that the address may be wrong; a broken 5xx is a failure."""
    for body in (b"<html>hello</html>", b"{}", b"[]", b""):
        assert isinstance(error_of(404, body), errors.InvalidAnswerError)
        assert isinstance(error_of(503, body), errors.ServiceUnavailableError)


def test_a_failed_condition_brings_the_item() -> None:
    """Where the request asked for it, the stored item is in the error."""
    item = {"key": {"S": "k"}}
    error = error_of(400, {"__type": "ConditionalCheckFailedException", "message": "no", "Item": item})
    assert isinstance(error, errors.ConditionalCheckFailedError)
    assert error.stored_item == item
    bare = error_of(400, {"__type": "ConditionalCheckFailedException", "message": "no"})
    assert isinstance(bare, errors.ConditionalCheckFailedError)
    assert bare.item is None


def test_a_cancelled_transaction_gives_its_reasons() -> None:
    """There is a reason for each action, in order; the literal "None" is no reason."""
    reasons = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "no", "Item": {"key": {"S": "k"}}},
        {"Code": "TransactionConflict", "message": "busy"},
    ]
    error = error_of(400, {"__type": "TransactionCanceledException", "CancellationReasons": reasons})
    assert isinstance(error, errors.TransactionCanceledError)
    assert error.reasons == (
        errors.CancellationReason(None),
        errors.CancellationReason("ConditionalCheckFailed", "no", {"key": {"S": "k"}}),
        errors.CancellationReason("TransactionConflict", "busy"),
    )


def test_misuse_is_also_pythons_own_error() -> None:
    """Errors of misuse are ValueErrors or TypeErrors too, so that general code can catch them."""
    assert issubclass(errors.ValidationException, ValueError)
    assert issubclass(errors.WrongTypeError, TypeError)
    assert issubclass(errors.UnknownNameError, TypeError)
    assert issubclass(errors.FieldNotLoadedError, AttributeError)
    assert issubclass(errors.RequestTimeoutError, TimeoutError)


def kinds() -> list[type[errors.DynamixError]]:
    """Every class of errors that is public."""
    members = (getattr(dynamix, name) for name in dynamix.__all__)
    return [one for one in members if isinstance(one, type) and issubclass(one, errors.DynamixError)]


def made(kind: type[errors.DynamixError]) -> errors.DynamixError:
    """An error of a class, with a value in each attribute that its class or its making gives it."""
    if issubclass(kind, errors.FieldValidationException | errors.StoredValueError):
        error: errors.DynamixError = kind("said", field="name", value={"S": b"1"})
    elif issubclass(kind, errors.ClientException):
        error = kind("said", code="Code", status=400, request_id="REQUEST1")
    elif issubclass(kind, errors.ConnectionException):
        error = kind("said", sent=True)
    else:
        error = kind("said")
    members = {name for one in kind.__mro__ for name in inspect.get_annotations(one)}
    for name in members - vars(error).keys() - {"codes"}:
        setattr(error, name, {"applied": "maybe", "key": {"name": "k"}}.get(name, ("some", {"key": {"S": "k"}})))
    error.add_note("noted")
    return error


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {n}": lambda error, n=n: pickle.loads(pickle.dumps(error, n))
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", kinds())
def test_every_error_can_be_copied_and_pickled(kind: type[errors.DynamixError], way: Callable[[Any], Any]) -> None:
    """A copy has the class, the words and all attributes of the error, the notes included."""
    error = made(kind)
    twin = way(error)
    assert type(twin) is kind
    assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), error.args)
    assert vars(twin) == vars(error)
    assert {"applied", "__notes__"} <= vars(twin).keys()


def test_classes_of_users_can_be_copied_too() -> None:
    """An error class that is derived from ours may ask for whatever it likes when it is made."""
    error = OwnError(1, extra="x")
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), twin.args, twin.extra, twin.field) == (OwnError, error.args, "x", "n")


class OwnError(errors.FieldValidationException):
    """An error of a program's own."""

    def __init__(self, number: int, *, extra: str) -> None:
        super().__init__(f"number {number}", field="n")
        self.extra = extra


def fail_in_a_process() -> None:
    """Meets a value that its field does not take."""
    field_of_a_model().encode("x")


def field_of_a_model() -> Any:
    """A field that has its name."""

    class Counted(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        number = dynamix.IntegerField()

    return Counted.number


def test_an_error_comes_back_from_another_process() -> None:
    """A pool of processes hands over the error itself, where one that cannot be pickled would break the pool."""
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        pytest.raises(dynamix.WrongTypeError) as caught,
    ):
        pool.submit(fail_in_a_process).result(60)
    assert (caught.value.field, caught.value.value) == ("number", "x")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_cannot_be_pickled_is_told_as_text(protocol: int) -> None:
    """A pickle of an error has its `repr` in place of what no pickle can hold, and all else as it is."""
    unpicklable, unsayable = (lambda: 1), Unsayable()
    error = dynamix.WrongTypeError("said", field="name", value=unpicklable)
    mixed = dynamix.PartlyAppliedError("said")
    mixed.stored, mixed.unknown = ({"key": "k", "value": unpicklable}, 1), (unsayable,)
    twin, mixed_twin = (pickle.loads(pickle.dumps(one, protocol)) for one in (error, mixed))
    assert (str(twin), twin.field, twin.value) == ("said", "name", repr(unpicklable))
    assert mixed_twin.stored == ({"key": "k", "value": repr(unpicklable)}, 1)
    assert "Unsayable object" in mixed_twin.unknown[0]
    assert mixed.stored[0]["value"] is unpicklable  # the error itself is as it was


def test_copies_keep_what_cannot_be_pickled() -> None:
    """A copy within the process has the values themselves; a deep copy shares those that cannot be copied."""
    lock = threading.Lock()
    error = dynamix.WrongTypeError("said", field="name", value=[lock])
    shallow, deep = copy.copy(error), copy.deepcopy(error)
    assert shallow.value is error.value
    assert deep.value == [lock]


class Unsayable:
    """What neither a pickle nor a text can be made of."""

    def __repr__(self) -> str:
        raise ValueError("no words")

    def __reduce__(self) -> str:
        raise TypeError("no pickle")
