"""What the service takes its time for, and the engine only where it is told so."""

from typing import NamedTuple


class Realism(NamedTuple):
    """For how many milliseconds a change of a table is told as being under way."""

    delay: int = 0


AT_ONCE = Realism()
