"""What is checked of a value that has the right type."""

from dynamix.codec.values import UnstorableError


def check_length(length: int, unit: str, least: int, most: int | None) -> None:
    """Refuse, by UnstorableError, a length out of its bounds."""
    if length < least:
        raise UnstorableError(f"it has {length} {unit}, fewer than {least}")
    if most is not None and length > most:
        raise UnstorableError(f"it has {length} {unit}, more than {most}")
