"""examples/forum_api.py, a FastAPI application, is asked over HTTP like any other."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
NEW = {"title": " Black Holes ", "text": "How black are they?", "author": "ada", "tags": ["physics"]}


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of the application, which runs in a process of its own and keeps its threads in a file."""
    folder = tmp_path_factory.mktemp("forum")
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "--app-dir", str(EXAMPLES), "forum_api:app"]
    environment = {**os.environ, "FORUM_FILE": str(folder / "forum.db"), "FORUM_CURSOR_KEY": "a secret of the tests"}
    with (folder / "log").open("w+") as log:
        server = subprocess.Popen([*command, "--port", "0"], stderr=log, stdout=log, env=environment, cwd=folder)
        try:
            while (found := re.search(r"running on (http://127\.0\.0\.1:\d+)", (folder / "log").read_text())) is None:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.02)
            with httpx.Client(base_url=found[1], timeout=60) as client:
                yield client
        finally:
            server.terminate()
            server.wait()


def refused(answer: httpx.Response) -> tuple[int, set[Any]]:
    """The status of a refusal, and what it is about."""
    return answer.status_code, {error["loc"][-1] for error in answer.json()["detail"]}


def test_a_thread_is_made_read_changed_and_deleted(forum: httpx.Client) -> None:
    """What is made is found where Location says, is liked and changed at its version, and is gone once deleted."""
    made = forum.post("/forums/science/threads", json=NEW)
    assert made.status_code == 201
    place, tag = made.headers["Location"], made.headers["ETag"]
    thread = made.json()
    assert (thread["title"], thread["tags"], thread["likes"]) == ("Black Holes", ["physics"], 0)
    found = forum.get(place)
    assert (found.json(), found.headers["ETag"]) == (thread, tag)
    edited = forum.patch(place, json={"title": "Holes", "tags": []}, headers={"If-Match": tag})
    assert (edited.status_code, edited.json()["title"], edited.json()["tags"]) == (200, "Holes", [])
    assert forum.patch(place, json={}, headers={"If-Match": tag}).status_code == 412
    assert refused(forum.patch(place, json={})) == (422, {"if-match"})
    assert refused(forum.patch(place, json={"author": "eve"}, headers={"If-Match": tag})) == (422, {"author"})
    assert forum.post(f"{place}/likes").json()["likes"] == 1
    assert forum.delete(place).status_code == 204
    assert {forum.get(place).status_code, forum.post(f"{place}/likes").status_code} == {404}


def test_errors_name_their_fields(forum: httpx.Client) -> None:
    """All that is wrong with a body, or with what stands in the path, is answered by the names of the fields."""
    wrong = {"title": "x" * 101, "text": 5, "tags": ["Physics"], "likes": 9}
    assert refused(forum.post("/forums/science/threads", json=wrong)) == (422, {*wrong, "author"})
    assert refused(forum.post(f"/forums/{'x' * 41}/threads", json=NEW)) == (422, {"forum"})


def test_a_list_goes_on_by_its_cursor(forum: httpx.Client) -> None:
    """Each page has the address of the next, until there is none; a cursor that was tampered with is refused."""
    titles = [f"thread {number}" for number in range(5)]
    for title in titles:
        tags = ["even"] if title[-1] in "024" else []
        forum.post("/forums/lists/threads", json={**NEW, "title": title, "tags": tags})
    url, found = "/forums/lists/threads?limit=2", []
    while url:
        page = forum.get(url).json()
        found += [thread["title"] for thread in page["threads"]]
        url, last = page["next"], url
    assert found == titles[::-1]
    even = forum.get("/forums/lists/threads?tag=even").json()
    assert ([thread["title"][-1] for thread in even["threads"]], even["next"]) == (["4", "2", "0"], None)
    assert forum.get(last[:-3] + "AAA").status_code == 400
    assert forum.get("/forums/lists/threads?limit=0").status_code == 422


def test_the_description_is_the_models_own(forum: httpx.Client) -> None:
    """The OpenAPI document has the schema of the model, with its lengths and descriptions."""
    schemas = forum.get("/openapi.json").json()["components"]["schemas"]
    properties = schemas["Thread"]["properties"]
    assert properties["title"] == {"type": "string", "minLength": 1, "maxLength": 100}
    assert properties["version"]["description"] == "what If-Match names"
