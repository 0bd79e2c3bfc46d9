"""Exceptions that come from without: those of a signal's handler, which may fall between any two steps.

Most are a KeyboardInterrupt and so no Exception, but the time limits of task queues (Celery, RQ) and of programs' own
are. Code that takes an Exception for a failure of what it called must let these pass.
"""

from itertools import pairwise
from types import TracebackType


def let_pass(error: BaseException) -> None:
    """Raises the exception once more if it was raised by a signal's handler."""
    if is_foreign(error):
        raise error


def is_foreign(error: BaseException) -> bool:
    """Whether an exception was raised by a signal's handler: a function that was given the number of the signal and the
    frame that it cut off."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        if _was_given(trace.tb_next, trace):
            return True
        trace = trace.tb_next
    return False


def _was_given(called: TracebackType, below: TracebackType) -> bool:
    """Whether a function has a number and the frame below it among its arguments."""
    code, values = called.tb_frame.f_code, called.tb_frame.f_locals
    count = code.co_argcount
    arguments = [values.get(name) for name in code.co_varnames[:count]]
    if code.co_flags & _VARARGS:
        arguments += values.get(code.co_varnames[count + code.co_kwonlyargcount], ())
    return any(frame is below.tb_frame and isinstance(number, int) for number, frame in pairwise(arguments))


_VARARGS = 0x04  # inspect.CO_VARARGS; the module takes a while to import
