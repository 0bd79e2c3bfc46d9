"""Images: what is the same for the same value, to the types inside a list or map.

An image is made much faster than a stored form, and a value can be had back from it; so it is by images that most
values are known not to have been edited in place.
"""

import marshal
from typing import Any, TypeAlias

Image: TypeAlias = bytes | frozenset[Any]

_WITHOUT_REFERENCES = 2
"""The last version of `marshal` whose bytes do not depend on who else refers to a part of a value."""


def image_of(value: Any) -> Image | None:
    """The image of a value; None where there is no such thing. Equal values may have different ones, where the order of
    a dict's keys or a set's members is another."""
    if type(value) is set:
        return frozenset(value)
    try:
        return marshal.dumps(value, _WITHOUT_REFERENCES)
    except ValueError:
        return None


def value_of(image: Image) -> Any:
    """A value of this image, which shares nothing with the one that it was made of."""
    return marshal.loads(image) if isinstance(image, bytes) else set(image)  # noqa: S302 - our own


def look_alike(one: Any, other: Any) -> bool:
    """Whether two values are surely the same."""
    return type(one) is type(other) and (image := image_of(one)) is not None and image_of(other) == image
