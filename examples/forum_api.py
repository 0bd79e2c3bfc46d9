"""A forum over HTTP, with FastAPI.

    pip install dynamix-orm fastapi uvicorn
    uvicorn --app-dir examples forum_api:app

It needs no server of a database and no account: the items are in memory, or in the file that FORUM_FILE names. The same
program runs on Amazon's DynamoDB where FORUM_REGION names a region. FORUM_CURSOR_KEY, a secret of 16 bytes or more,
signs the cursors in URLs.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import dynamix
from dynamix import CharField, DateTimeField, IntegerField, SetField, TypedModel, ValuesOf, VersionField


class Thread(TypedModel):
    """A thread of a forum."""

    __table_name__ = "threads"

    forum: CharField[str] = CharField(hash_key=True, max_length=40)
    id: CharField[str] = CharField(
        range_key=True, default=dynamix.ids.ulid, description="sorts by the time it was made"
    )
    title: CharField[str] = CharField(required=True, min_length=1, max_length=100, transform=str.strip)
    text: CharField[str] = CharField(required=True, max_length=10_000)
    author: CharField[str] = CharField(required=True, max_length=40, read_only=True)
    tags: SetField[set[str]] = SetField(of=CharField(pattern="[a-z-]+", max_length=20), max_length=5, default=set)
    likes: IntegerField[int] = IntegerField(default=0)
    created: DateTimeField[datetime | None] = DateTimeField(auto_now_add=True, default=None, read_only=True)
    changed: DateTimeField[datetime | None] = DateTimeField(auto_now=True, default=None)
    version = VersionField(description="what If-Match names")


NewThread = Annotated[dict[str, Any], ValuesOf(Thread, include=["title", "text", "author", "tags"])]
Changes = Annotated[dict[str, Any], ValuesOf(Thread, include=["title", "text", "tags"], partial=True)]


class Page(BaseModel):
    """Some threads of a forum, newest first, and the address of more, if there are any."""

    threads: list[Thread]
    next: str | None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connect to the place that the environment says, while the application runs."""
    options: dict[str, Any] = {"embedded": os.environ.get("FORUM_FILE", True)}
    if region := os.environ.get("FORUM_REGION"):
        options = {"region_name": region}
    if secret := os.environ.get("FORUM_CURSOR_KEY"):
        options["cursor_key"] = secret
    async with dynamix.set_connection(**options):
        await dynamix.acreate_table(Thread)
        yield


app = FastAPI(title="Forum", lifespan=lifespan)


@app.post("/forums/{forum}/threads", status_code=201)
async def create(forum: str, new: NewThread, response: Response) -> Thread:
    """Begin a thread."""
    thread = await Thread.acreate(forum=forum, **new)
    response.headers["Location"] = f"/forums/{thread.forum}/threads/{thread.id}"
    return _tagged(thread, response)


@app.get("/forums/{forum}/threads")
async def newest(
    request: Request,
    forum: str,
    tag: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Page:
    """The threads of a forum, a page at a time."""
    query = Thread.query().where(Thread.forum == forum).order(asc=False)
    if tag is not None:
        query = query.filter(Thread.tags.contains(tag))
    threads, after = await query.limit(limit).start_key(cursor).aget_items()
    more = None if after is None else str(request.url.include_query_params(cursor=str(after)))
    return Page(threads=threads, next=more)


@app.get("/forums/{forum}/threads/{id}")
async def get(forum: str, id: str, response: Response) -> Thread:
    """One thread."""
    return _tagged(await Thread.aget_or_raise(forum=forum, id=id), response)


@app.patch("/forums/{forum}/threads/{id}")
async def edit(forum: str, id: str, changes: Changes, response: Response, if_match: Annotated[str, Header()]) -> Thread:
    """Change a thread, if it still is at the version that If-Match names."""
    thread = await Thread.aget_or_raise(forum=forum, id=id, consistent=True)
    if f'"{thread.version}"' != if_match:
        raise HTTPException(412, f"the thread is at version {thread.version} by now")
    return _tagged(await thread.replace(**changes).asave(), response)  # refused where others are first until then


@app.post("/forums/{forum}/threads/{id}/likes")
async def like(forum: str, id: str) -> Thread:
    """Like a thread: of many at once, each counts."""
    return await Thread.aupdate_by_key(Thread.likes.add(1), forum=forum, id=id, returns="new")


@app.delete("/forums/{forum}/threads/{id}", status_code=204)
async def delete(forum: str, id: str) -> None:
    """Delete a thread. One that is gone is no error."""
    await Thread.adelete_by_key(forum=forum, id=id)


def _tagged(thread: Thread, response: Response) -> Thread:
    response.headers["ETag"] = f'"{thread.version}"'
    return thread


STATUS: dict[type[dynamix.DynamixError], int] = {
    dynamix.ItemNotFoundError: 404,
    dynamix.ItemExistsError: 409,
    dynamix.VersionConflict: 412,
    dynamix.ConditionalCheckFailedError: 412,
    dynamix.InvalidCursorError: 400,
    dynamix.FieldValidationException: 422,
    dynamix.ItemTooLargeError: 413,
    dynamix.ThrottledError: 503,
    dynamix.ConnectionException: 503,
}
"""What an error of dynamix is over HTTP, by the first of its classes that is here. Any other one is a 500."""


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Answer an error that has a status; what it says is for the caller where that is to blame."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, dynamix.FieldValidationException):
        detail: Any = [{"loc": [e.field], "msg": e.message, "type": "invalid_value"} for e in error.errors]
    else:
        detail = "try again later" if status == 503 else str(error)
    return JSONResponse({"detail": detail}, status, {"Retry-After": "1"} if status == 503 else None)


for kind in STATUS:
    app.add_exception_handler(kind, refuse)
