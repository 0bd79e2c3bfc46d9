"""What an edit in place makes of a value that may have parts which its field does not know."""

from typing import NamedTuple

from dynamix.wire import AttributeValue


class Versions(NamedTuple):
    """One part as it is stored, as its field would store what was read of that, and as it is to be."""

    old: AttributeValue
    unedited: AttributeValue
    new: AttributeValue

    @property
    def untouched(self) -> bool:
        """Whether nobody edited it, however it is stored."""
        return self.unedited == self.new

    @property
    def tags(self) -> set[str]:
        """The types of the three."""
        return {tag for form in self for tag in form}

    def merged(self) -> AttributeValue:
        """As it is to be, with what is not edited as it is stored, and what its field does not know."""
        if self.untouched:
            return self.old
        if self.tags == {"M"}:
            old, unedited, new = (form["M"] for form in self)
            kept = {key: value for key, value in old.items() if key not in unedited and key not in new}
            edited = {key: value for key, value in new.items() if key in old or unedited.get(key) != value}
            inner = {key: Versions(old[key], unedited.get(key, old[key]), edited[key]) for key in edited.keys() & old}
            return {"M": kept | edited | {key: part.merged() for key, part in inner.items()}}
        if self.tags == {"L"}:
            old, unedited, new = (form["L"] for form in self)
            if len(old) == len(unedited) == len(new):
                return {"L": [Versions(*version).merged() for version in zip(old, unedited, new, strict=True)]}
            return {"L": [as_stored(element, unedited, old) for element in new]}
        return self.new


def unaligned(form: AttributeValue) -> AttributeValue:
    """An unedited form whose lists have one more element, so that they are taken for no other lists."""
    ((tag, content),) = form.items()
    if tag == "M":
        return {tag: {key: unaligned(value) for key, value in content.items()}}
    return {tag: [*map(unaligned, content), _ONE_MORE]} if tag == "L" else form


_ONE_MORE = {"S": "\0one more element than is stored"}
"""What nobody puts at the end of a list."""


def as_stored(element: AttributeValue, unedited: list[AttributeValue], old: list[AttributeValue]) -> AttributeValue:
    """An element of a list that is set whole: where it was there before, as it was stored."""
    alike = len(unedited) == len(old) and element in unedited  # else nothing tells which of the old ones it is
    return old[unedited.index(element)] if alike else element
