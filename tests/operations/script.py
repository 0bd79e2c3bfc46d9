"""Runs flows by hand: no network, no clock, only what the test says the service answers."""

import json
from collections.abc import Callable
from typing import Any

from dynamix.drivers import drive
from dynamix.operations.retry import RetryPolicy
from dynamix.wire import Call, Effect, Flow, Pause

Reply = dict[str, Any] | Exception
LONGEST = RetryPolicy(jitter=lambda: 1.0)
"""The default policy, without chance: every wait is as long as it may be."""


class Script:
    """What the service answers, in order, and what it was asked meanwhile."""

    def __init__(self, *replies: Reply, always: Callable[[str, dict[str, Any]], Reply] | None = None) -> None:
        self._replies = list(replies)
        self._always = always
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.pauses: list[float] = []

    @property
    def targets(self) -> list[str]:
        """The operations that were asked for."""
        return [target for target, _ in self.requests]

    def run(self, flow: Flow[Any]) -> Any:
        """Runs a flow to its end; all replies must have been used."""
        result = drive(flow, self._perform)
        assert self._replies == [], "the flow ended without asking for the rest"
        return result

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Pause):
            self.pauses.append(effect.seconds)
            return None
        if not isinstance(effect, Call):
            return [drive(flow, self._perform) for flow in effect.flows]
        body = json.loads(effect.body)
        self.requests.append((effect.target, body))
        reply = self._always(effect.target, body) if self._always is not None else self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return effect.decode(json.dumps(reply).encode())
