"""DynamoDB's numbers: text of at most 38 significant digits, between 1E-130 and 9.99...E+125 in magnitude, exact.

Source: DynamoDB Developer Guide, "Supported data types and naming rules", Number.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from dynamix.limits import NUMBER_DIGITS, NUMBER_MAX_EXPONENT, NUMBER_MIN_EXPONENT

_NUMBER = re.compile(r"[+-]?(?P<digits>\d++(?:\.\d*+)?|\.\d++)(?:[eE](?P<exponent>[+-]?\d++))?", re.ASCII)
"""Nothing is given back once it is matched, so a long text that is no number is refused in one pass."""

_PLAIN_INTEGER = re.compile(r"-?[1-9]\d{0,37}|0", re.ASCII)
_INTEGER_BITS = 420  # 10**126 has 419
EXACT = Context(
    prec=1000,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""What computes with DynamoDB's numbers without loss, whatever context a program has set for its own Decimals."""


class NumberError(ValueError):
    """A text or number that DynamoDB cannot hold. `reason` is one of the four words below."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


MALFORMED, TOO_PRECISE, TOO_LARGE, TOO_SMALL = "malformed", "too precise", "too large", "too small"


def parse(text: str) -> Decimal:
    """The number that a text stands for, without trailing zeros.

    Raises NumberError for what is not a number, has over 38 significant digits, or is out of range. A zero is out of
    range where its last digit is.
    """
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise NumberError(f"{text!r} is not a number", MALFORMED)
    try:
        parsed = Decimal(text)
    except InvalidOperation as error:  # an exponent that Decimal cannot hold
        raise _out_of_range(text, large=not number["exponent"].startswith("-")) from error
    if not parsed and not NUMBER_MIN_EXPONENT <= parsed.adjusted() <= NUMBER_MAX_EXPONENT:
        raise _out_of_range(text, large=parsed.adjusted() > 0)
    return check(parsed)


def check(number: Decimal) -> Decimal:
    """The same number without trailing zeros; raises NumberError where DynamoDB cannot hold it exactly."""
    sign, digits, exponent = number.as_tuple()
    if exponent == 0 and digits[-1] and len(digits) <= NUMBER_DIGITS:
        return number
    if not isinstance(exponent, int):
        raise NumberError(f"{number} is not a number that DynamoDB can hold", MALFORMED)
    last = len(digits)
    while last and digits[last - 1] == 0:
        last -= 1
    if not last:
        return Decimal(0)
    exponent += len(digits) - last
    first = next(index for index, digit in enumerate(digits) if digit)
    significant = digits[first:last]
    magnitude = exponent + len(significant) - 1
    if magnitude > NUMBER_MAX_EXPONENT:
        raise _out_of_range(number, large=True)
    if magnitude < NUMBER_MIN_EXPONENT:
        raise _out_of_range(number, large=False)
    if len(significant) > NUMBER_DIGITS:
        raise NumberError(f"{number} has {len(significant)} significant digits, more than 38", TOO_PRECISE)
    return Decimal((sign, significant, exponent))


def _out_of_range(number: object, *, large: bool) -> NumberError:
    if large:
        return NumberError(f"{number} is larger in magnitude than 9.99...E+125", TOO_LARGE)
    return NumberError(f"{number} is smaller in magnitude than 1E-130", TOO_SMALL)


def to_text(number: int | float | Decimal) -> str:
    """The text DynamoDB keeps of a number. A float goes as the shortest text that reads back as the same float.

    Subclasses may print themselves otherwise (an enum's member does), so it is the base that is asked. Raises
    NumberError where exactness would be lost.
    """
    if isinstance(number, int):
        if number.bit_length() > _INTEGER_BITS:  # Python may refuse to print it
            raise NumberError("an integer of more than 126 digits is out of range", TOO_LARGE)
        text = int.__repr__(number)
    else:
        text = float.__repr__(number) if isinstance(number, float) else Decimal.__str__(number)
    if _PLAIN_INTEGER.fullmatch(text):
        return text
    return plain(parse(text) if not isinstance(number, Decimal) else check(number))


def plain(number: Decimal) -> str:
    """A checked number as the service writes it: plain digits, never an exponent."""
    return f"{number:f}"


def normalize(text: str) -> str:
    """A number's text as the service hands it back. Raises NumberError."""
    return text if _PLAIN_INTEGER.fullmatch(text) else plain(parse(text))


def from_text(text: str) -> int | float | Decimal:
    """The number in a free-form place: an integer as int, another as float where the float prints back to the
    same digits, else as Decimal. Nothing is ever lost. Raises ValueError or ArithmeticError for what is no number."""
    if text.isdecimal():
        return int(text)
    number = exact_from_text(text)
    if isinstance(number, int):
        return number
    close = float(number)
    return close if Decimal(repr(close)) == number else number


def exact_from_text(text: str) -> int | Decimal:
    """The number of a text, an integer as int, another as Decimal. Raises ValueError or ArithmeticError for what is no
    number."""
    number = Decimal(text)
    if number.adjusted() > NUMBER_MAX_EXPONENT:  # else it would be written out below, however long that takes
        raise NumberError(f"{text} is larger in magnitude than 9.99...E+125", TOO_LARGE)
    return int(number) if number == number.to_integral_value(context=EXACT) else number
