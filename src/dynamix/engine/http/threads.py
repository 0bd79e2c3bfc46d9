"""A thread for each connection, for what may block as it answers: handlers that are no engine."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Threads:
    """Runs what a connection has to do in a thread of its own, which ends with the connection."""

    def __init__(self) -> None:
        self._lines: dict[object, SimpleQueue[Callable[[], None] | None]] = {}
        self._running: set[threading.Thread] = set()

    def run(self, connection: object, task: Callable[[], None]) -> None:
        """Have the thread of a connection run a task after those before."""
        line = self._lines.get(connection)
        if line is None:
            line = self._lines[connection] = SimpleQueue()
            thread = threading.Thread(target=self._work, args=(line,), name="dynamix-connection", daemon=True)
            self._running.add(thread)
            thread.start()
        line.put(task)

    def end(self, connection: object) -> None:
        """Let the thread of a connection end when it has done what it has to do."""
        line = self._lines.pop(connection, None)
        if line is not None:
            line.put(None)

    def close(self) -> None:
        """Wait for all threads, whose connections have ended."""
        for thread in list(self._running):
            thread.join()

    def _work(self, line: "SimpleQueue[Callable[[], None] | None]") -> None:
        while (task := line.get()) is not None:
            task()
        self._running.discard(threading.current_thread())
