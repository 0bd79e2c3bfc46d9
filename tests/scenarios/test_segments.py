"""Scans in segments: side by side in one program, or apart in several; paced, watched, gone on with elsewhere."""

import asyncio
import contextlib
import gc
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from contextvars import copy_context
from multiprocessing import get_context
from typing import Any

import pytest
from forum import Thread
from scripted import SECONDS, Counting, Holding, serving

import dynamix
from dynamix import Connection, InvalidCursorError, InvalidQueryError, ReadLimitError, ReadProgress, use_connection
from dynamix.operations.budget import Rate
from dynamix.scan import Scan

SCAN = Thread.scan(segments=4)
ODD = Thread.user_id == "user1"


def ids(threads: Any) -> list[str]:
    """The sort keys of threads, sorted, as segments come in no order."""
    return sorted(thread.thread_id for thread in threads)


def create(count: int) -> list[str]:
    """A table with threads in as many partitions, so that all segments have some; their sort keys."""
    dynamix.create_table(Thread)
    threads = [
        Thread(forum_id=f"forum{n}", thread_id=f"t{n:04}", title=f"Title {n}", user_id=f"user{n % 3}", updated_at=n)
        for n in range(count)
    ]
    Thread.batch_write(threads)
    return ids(threads)


def alive() -> set[threading.Thread]:
    """The threads of the library that run."""
    return {thread for thread in threading.enumerate() if thread.name == "dynamix"}


def end(threads: set[threading.Thread]) -> bool:
    """Whether threads end."""
    for thread in threads:
        thread.join(SECONDS)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.usefixtures("place")
def test_segments_find_what_a_scan_finds() -> None:
    """Every way of reading gives with segments what it gives without, blocking and in asyncio, with all that narrows a
    scan."""
    every = create(40)
    paged, odd = SCAN.page_size(3), SCAN.filter(ODD)

    async def aread(limit: int) -> list[Any]:
        return [thread async for thread in paged.limit(limit)]

    assert ids(paged) == ids(paged.all()) == ids(asyncio.run(aread(50))) == every
    assert (paged.count(), odd.count(), odd.limit(5).count(), asyncio.run(SCAN.acount())) == (40, 13, 5, 40)
    assert ids(odd) == ids(odd.all()) == ids(Thread.scan().filter(ODD)) == every[1::3]
    for limited in (paged.limit(7), odd.limit(7)):
        assert [len(list(limited)), len(limited.all()), len(limited.get_items()[0])] == [7, 7, 7]
    assert len(asyncio.run(aread(5))) == 5
    assert SCAN.where(Thread.title == "Title 7").one().thread_id == "t0007"
    assert (odd.exists(), odd.filter(Thread.title == "none").exists(), odd.first() is None) == (True, False, False)
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = SCAN.select(Thread.user_id).all()[0].title
    by_user = SCAN.use_index("by_user").page_size(2)
    assert {thread.state for thread in by_user.get_items(requery_for_all_projections=True)[0]} == {None}
    assert ids(by_user) == every
    assert ids(Thread.scan(segments=33)) == every
    with dynamix.capacity() as used, dynamix.timeout(60):
        assert len(list(paged)) == 40
    assert used.requests >= 14
    assert used.untold == 0


@pytest.mark.usefixtures("place")
def test_a_scan_in_segments_goes_on_in_all_of_them() -> None:
    """The cursor of a page, of an error at a bound or of one item cut off has the place of each segment, and its text
    is taken elsewhere; nothing is given twice, and nothing is left out."""
    every = create(40)
    for paged in (SCAN.page_size(2), SCAN.filter(Thread.title != "Title 3").limit(40)):
        expected = ids(paged)
        items, cursor = paged.limit(9).get_items()
        rest = paged.start_key(str(cursor))
        assert ids([*items, *rest.all()]) == ids([*items, *rest]) == expected
    given: list[Thread] = []
    pages = iter(SCAN.limit(25).pages(4))
    for _ in range(3):
        page = next(pages)
        given += page.items
    assert page.previous is None
    assert ids([*given, *SCAN.start_key(str(page.next))]) == every
    given = []
    with pytest.raises(ReadLimitError, match="max_pages") as caught:
        given.extend(SCAN.page_size(2).max_pages(6))
    assert 0 < len(given) <= 12
    assert ids([*given, *SCAN.start_key(caught.value.cursor)]) == every
    with pytest.raises(ReadLimitError) as caught:
        SCAN.page_size(2).max_units(2).all()
    assert ids([*caught.value.items, *SCAN.start_key(caught.value.cursor)]) == every
    with pytest.raises(ReadLimitError) as caught:
        SCAN.page_size(2).max_pages(6).count()
    assert (caught.value.count, SCAN.start_key(caught.value.cursor).count()) == (12, 28)
    with pytest.raises(ReadLimitError) as caught:
        SCAN.page_size(2).max_pages(6).delete()
    assert caught.value.applied == "partly"
    rest = 40 - caught.value.count
    assert (SCAN.start_key(caught.value.cursor).delete(), SCAN.count()) == (rest, 0)


@pytest.mark.usefixtures("place")
def test_writes_of_all_matches() -> None:
    """update() and delete() reach every segment, keep to the limit, and count all together; what could bring an item to
    another segment is refused; a rehearsal writes nothing."""
    create(20)
    told: list[int] = []
    assert SCAN.filter(ODD).update(Thread.title.set("new"), progress=told.append) == 7
    assert (told[-1], told) == (7, sorted(told))
    with dynamix.dry_run() as requests:
        assert SCAN.limit(5).delete() == 5
    assert len(requests) == 5
    for scan in (SCAN, Thread.scan().split(2)[0]):
        with pytest.raises(InvalidQueryError, match="'by_user' sorts by can move an item to another segment"):
            scan.use_index("by_user").update(Thread.updated_at.set(1))
    assert [SCAN.limit(15).delete(), asyncio.run(SCAN.adelete()), SCAN.count()] == [15, 5, 0]


def test_requests_overlap_and_wait_for_the_caller() -> None:
    """All segments are asked at once, in threads or in tasks; of a segment no further page is asked for before the
    caller has taken one."""
    with serving(meeting := Counting("Scan", 4)):
        create(20)
        assert len(SCAN.all()) == len(list(SCAN)) == 20
        assert len(asyncio.run(SCAN.aall())) == 20
        assert (meeting.count, meeting.most) == (12, 4)
    with serving(held := Holding("Scan")):
        create(40)
        iterating = iter(SCAN.page_size(2))
        first: list[Any] = []
        thread = threading.Thread(target=copy_context().run, args=(lambda: first.append(next(iterating)),))
        thread.start()
        requests = [held.next() for _ in range(4)]
        assert sorted(request.body["Segment"] for request in requests) == [0, 1, 2, 3]
        for request in requests:
            request.answer()
        thread.join()
        assert held.next().body["ExclusiveStartKey"]
        assert held.count in (5, 6, 7, 8)
        held.release()
        assert len([*first, *iterating]) == 40


def test_threads_end_with_whoever_stops() -> None:
    """A caller who stops early, one whose own code fails, and an error of one segment leave no thread and no task
    behind; a wait before the next request ends at once."""
    with serving(held := Holding()):
        create(40)
        before = alive()
        paged = SCAN.page_size(1)
        for _ in paged:
            break
        assert end(alive() - before)
        with contextlib.suppress(ZeroDivisionError):
            for _ in paged:
                1 / 0  # noqa: B018 - it has to fail
        gc.collect()
        assert end(alive() - before)
        for _ in Thread.scan(segments=4, rate=0.001).page_size(1):  # each page is paid for in minutes
            break
        assert end(alive() - before)
        held.hold("Scan")
        failing: list[BaseException] = []

        def read(scan: Any) -> None:
            try:
                list(scan)
            except dynamix.DynamixError as error:
                failing.append(error)

        reader = threading.Thread(target=copy_context().run, args=(read, paged))
        reader.start()
        requests = [held.next() for _ in range(4)]
        requests[2].refuse("ValidationException")
        held.release()
        reader.join()
        assert [type(error) for error in failing] == [dynamix.InvalidRequestError]
        assert alive() == before

        async def stop() -> set[Any]:
            async with contextlib.aclosing(aiter(paged)) as threads:  # type: ignore[type-var]
                async for _ in threads:
                    break
            return asyncio.all_tasks() - {asyncio.current_task()}

        assert asyncio.run(stop()) == set()  # last, since the server may come to what was cancelled later


def test_an_iteration_that_is_given_up_waits_for_nothing() -> None:
    """It may be the garbage collector that gives it up, in a thread that holds a lock which the others need."""
    with serving(held := Holding("Scan")):
        create(40)
        before = alive()
        iterating = [iter(SCAN.page_size(1))]
        first = threading.Thread(target=copy_context().run, args=(lambda: next(iterating[0]),))
        first.start()
        held.next().answer()
        first.join()
        under_way = alive() - before
        iterating.clear()
        assert under_way
        assert all(thread.is_alive() for thread in under_way)
        held.release()
        assert end(under_way)


def test_a_rate_is_kept_over_all_segments() -> None:
    """A request waits until what was consumed before is paid off; while one is under way, it counts as the last one."""
    now = [100.0]
    rate = Rate(10, lambda: now[0])
    assert rate.reserve() == (0.0, 128.0)
    assert rate.reserve() == (0.2, 0.0)  # it is asked again soon, as the answer may tell of less
    rate.settle(128.0, 5.0)
    assert rate.reserve() == (0.2, 0.0)
    now[0] = 100.4
    assert rate.reserve()[0] == pytest.approx(0.1)
    now[0] = 100.5
    assert rate.reserve() == (0.0, 5.0)
    rate.settle(5.0, None)  # it failed
    assert rate.reserve() == (0.0, 5.0)


@pytest.mark.usefixtures("place")
def test_progress_is_told_after_each_request() -> None:
    """The callback is told how far all segments came together, one call after another; what it raises ends the scan."""
    create(30)
    told: list[ReadProgress] = []
    scan = Thread.scan(segments=4, rate=1_000_000, progress=told.append).filter(ODD).page_size(4)
    assert len(list(scan)) == 10
    assert (told[-1].looked_at, told[-1].found, told[-1].ended, told[-1].segments) == (30, 10, 4, 4)
    assert [each.requests for each in told] == list(range(1, len(told) + 1))
    assert told[-1].units >= 1
    told.clear()
    Thread.scan(progress=told.append).count()
    assert (told[-1].looked_at, told[-1].ended, told[-1].segments) == (30, 1, 1)

    def refuse(progress: ReadProgress) -> None:
        raise LookupError(progress.requests)

    with pytest.raises(LookupError):
        list(Thread.scan(segments=2, progress=refuse))
    for wrong in ({"segments": 0}, {"segments": 1.5}, {"rate": 0}, {"progress": 5}, {"segments": 2_000_000}):
        with pytest.raises(dynamix.ValidationException):
            Thread.scan(**wrong)  # type: ignore[arg-type]


def connect(address: tuple[str, int], prefix: str) -> None:
    """Sets the connection of a process."""
    dynamix.set_connection(is_local_endpoint=address, table_prefix=prefix)


def export(segment: Scan[Thread]) -> tuple[list[str], str | None]:
    """One page of a segment, and where it goes on: what a process of its own does."""
    items, cursor = segment.get_items()
    return ids(items), None if cursor is None else str(cursor)


def test_segments_run_in_processes(engine_http: tuple[str, int]) -> None:
    """split() gives scans that another process runs and that together find all; each goes on from the text of its own
    cursor, which no other takes."""
    with Connection(is_local_endpoint=engine_http, table_prefix="split-") as connection, use_connection(connection):
        every = create(30)
        segments = Thread.scan(rate=100_000).filter(Thread.title != "Title 3").page_size(6).split(3)
        assert [segment.segment for segment in segments] == [(0, 3), (1, 3), (2, 3)]
        with ProcessPoolExecutor(1, get_context("spawn"), connect, (engine_http, "split-")) as executor:
            pages = list(executor.map(export, segments))
        found = [name for names, _ in pages for name in names]
        for segment, (_, text) in zip(segments, pages, strict=True):
            found += ids(pickle.loads(pickle.dumps(segment.start_key(text))))
        assert sorted(found) == [name for name in every if name != "t0003"]
        own = segments[0].get_items()[1]
        for other in (segments[1], Thread.scan(), SCAN, Thread.scan().split(4)[0]):
            for cursor in (own, str(own)):
                with pytest.raises(InvalidCursorError, match="segment"):
                    other.start_key(cursor).get_items()
        spread = SCAN.page_size(1).get_items()[1]
        for other in (Thread.scan(), Thread.scan(segments=3), segments[0]):
            for cursor in (spread, str(spread)):
                with pytest.raises(InvalidCursorError, match="segment"):
                    other.start_key(cursor).get_items()
    for wrong in (SCAN, Thread.scan().limit(5), Thread.scan().max_units(5), segments[0], Thread.scan().start_key({})):
        with pytest.raises(InvalidQueryError, match=r"split\(\)"):
            wrong.split(2)
