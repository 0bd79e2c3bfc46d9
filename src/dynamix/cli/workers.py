"""Several processes that do the same work, kept alive by the one that began them.

The parent only waits. A child that dies is begun again; children that die as soon as they are begun end it all. When
the parent ends, however that comes, the children end as well: each holds the reading end of a pipe whose writing end
only the parent has.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

_SOON_SECONDS = 1.0
_MOST_SOON = 5
"""How many children in a row may die as soon as they are begun."""


def run_workers(count: int, work: Callable[[], int]) -> int:
    """Does `work` in so many processes until SIGTERM or SIGINT; returns the exit status, in the children too.

    To be called while the process has no other thread.
    """
    return _Parent(count, work).run()


class _Parent:
    def __init__(self, count: int, work: Callable[[], int]) -> None:
        self._count = count
        self._work = work
        self._begun: dict[int, float] = {}
        self._ending = False
        self._alive, self._held = os.pipe()

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        died_soon = 0
        failed = False
        while self._begun or not self._ending:
            while len(self._begun) < self._count and not self._ending:
                child = self._begin()
                if child == 0:
                    return self._be_child()
            pid, status = os.waitpid(-1, 0)
            lasted = time.monotonic() - self._begun.pop(pid)
            if self._ending:
                continue
            print(f"dynamix serve: worker {pid} has ended ({_told(status)})", file=sys.stderr, flush=True)  # noqa: T201
            died_soon = died_soon + 1 if lasted < _SOON_SECONDS else 0
            if died_soon == _MOST_SOON:
                failed = True
                self._end(signal.SIGTERM, None)
        return int(failed)

    def _begin(self) -> int:
        signals = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # a child that nobody has noted would not be ended
        try:
            child = os.fork()
            if child:
                self._begun[child] = time.monotonic()
            else:
                for number in signals:
                    signal.signal(number, signal.SIG_DFL)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        return child

    def _be_child(self) -> int:
        os.close(self._held)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        return self._work()

    def _end_with_parent(self) -> None:
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ending = True
        for child in list(self._begun):
            os.kill(child, signal.SIGTERM)


def _told(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"status {code}"
