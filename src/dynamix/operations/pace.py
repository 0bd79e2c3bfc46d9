"""How many requests of a batch travel at once: fewer after the service asked to slow down, then more again."""

from typing import TypeVar

from dynamix.wire import Effect, Flow, Pause

T = TypeVar("T")

_MOST = 8


class Pace:
    """The pace of one batch over its rounds of requests."""

    def __init__(self) -> None:
        self.limit = _MOST
        self._was_throttled = False

    def watch(self, flow: Flow[T]) -> Flow[T]:
        """The same flow, whose waits tell whether the service asked to slow down."""
        step = flow.send
        outcome: object = None
        try:
            while True:
                effect: Effect = step(outcome)
                self._was_throttled |= isinstance(effect, Pause) and effect.is_throttled
                try:
                    outcome = yield effect
                    step = flow.send
                except Exception as error:
                    outcome = error
                    step = flow.throw
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    def adapt(self) -> None:
        """Has the next round go at half the pace if the service asked to slow down in this one, else a step faster."""
        self.limit = max(1, self.limit // 2) if self._was_throttled else min(_MOST, self.limit + 1)
        self._was_throttled = False
