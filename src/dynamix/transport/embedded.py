"""The embedded engine as a transport: requests are answered in the process.

From asyncio, an engine in memory answers on the spot, as it takes less time than the way to another thread. An engine
on a file may wait for other processes, so it answers in a thread, and under a deadline no caller waits for longer.
"""

import math
from functools import partial

from dynamix.engine import Engine as Engine
from dynamix.engine.storage.turns import TooLateError
from dynamix.transport import aside
from dynamix.transport.deadlines import TimeUpError, late
from dynamix.wire import Response


class EmbeddedTransport:
    """Sends requests to an engine. Closing it closes an engine of its own, and leaves one that others share open."""

    def __init__(self, engine: Engine, *, own: bool) -> None:
        self.engine = engine
        self._own = own

    def send(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response:
        """Answer one request."""
        if deadline == math.inf:
            return Response(*self.engine.handle(target, body))
        work = partial(self.engine.handle, target, body, deadline)
        try:
            return Response(*(work() if self.engine.in_memory else aside.call(work, deadline)))
        except TimeUpError as error:
            raise late(sent=True) from error
        except TooLateError as error:
            raise late(sent=False) from error

    async def asend(self, target: str, body: bytes, repeatable: bool = True, *, deadline: float = math.inf) -> Response:
        """Answer one request without holding up the event loop for long."""
        if deadline == math.inf:
            work = partial(self.engine.handle, target, body)
            return Response(*(work() if self.engine.in_memory else await aside.in_pool(work)))
        work = partial(self.engine.handle, target, body, deadline)
        try:
            return Response(*(work() if self.engine.in_memory else await aside.acall(work, deadline)))
        except TimeUpError as error:
            raise late(sent=True) from error
        except TooLateError as error:
            raise late(sent=False) from error

    def close(self) -> None:
        """Close an engine of its own."""
        if self._own:
            self.engine.close()

    async def aclose(self) -> None:
        """Close an engine of its own."""
        self.close()
