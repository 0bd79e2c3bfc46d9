"""The thread that removes, in the background, what time alone removes.

It begins when a table of that kind is first seen, and does its work once in an interval. It is not there while the
process is copied by a fork; on both sides it begins again when such a table is next seen. It ends with the engine, also
with one that is dropped without being closed.
"""

import contextlib
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

from dynamix import forks

_PATIENCE_SECONDS = 1.0
"""How long the thread's end is waited for: it may be waiting for another process."""

_log = logging.getLogger(__name__)


class Swept(Protocol):
    """What is swept: an engine."""

    def _sweep(self, stopped: Callable[[], bool]) -> int: ...


class Sweeper:
    """Sweeps an engine every so many seconds; never, where that is None."""

    def __init__(self, engine: Swept, every: float | None) -> None:
        self._engine = weakref.ref(engine)
        self._every = every
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        forks.register(self)

    def seen(self) -> None:
        """There is something to sweep: begin, if that has not been done."""
        if self._every is None or (self._thread is not None and self._thread.is_alive()):
            return
        with self._lock:
            if self._every is None or (self._thread is not None and self._thread.is_alive()):
                return
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=_run, args=(self._engine, self._every, self._stop), name="dynamix-sweeper", daemon=True
            )
            with contextlib.suppress(RuntimeError):  # there can be no more threads: the next one who comes tries again
                self._thread.start()

    def pause(self) -> None:
        """End the thread; it begins again when it is next needed."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            with contextlib.suppress(RuntimeError):  # it was never started
                thread.join(_PATIENCE_SECONDS)

    def end(self) -> None:
        """End the thread for good."""
        self._every = None
        self.pause()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._thread = None


def _run(engine: "weakref.ref[Swept]", every: float, stop: threading.Event) -> None:
    told = ""
    while not stop.wait(every):
        swept = engine()
        if swept is None:
            return
        try:
            swept._sweep(stop.is_set)
            told = ""
        except Exception as error:
            if str(error) != told and not stop.is_set():
                told = str(error)
                _log.warning("what has expired could not be removed: %s", error)
        del swept
