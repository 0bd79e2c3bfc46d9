"""The embedded engine as a transport: requests are answered in the process.

From asyncio, an engine in memory answers on the spot, as it takes less time than the way to another thread. An engine
on a file may wait for other processes, so it answers in a thread.
"""

import asyncio

from dynamix.engine import Engine
from dynamix.wire import Response


class EmbeddedTransport:
    """Sends requests to an engine. Closing it leaves the engine open, which others may share."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def send(self, target: str, body: bytes, repeatable: bool = True) -> Response:
        """Answer one request."""
        return Response(*self.engine.handle(target, body))

    async def asend(self, target: str, body: bytes, repeatable: bool = True) -> Response:
        """Answer one request without holding up the event loop for long."""
        if self.engine.in_memory:
            return Response(*self.engine.handle(target, body))
        return Response(*await asyncio.to_thread(self.engine.handle, target, body))

    def close(self) -> None:
        """Nothing to do: there is no connection."""

    async def aclose(self) -> None:
        """Nothing to do: there is no connection."""
