"""Conditions as people read them, for messages: `Page.views >= 1 AND attribute_not_exists(Page.title)`.

The text is that of the request, with names and values in place of the placeholders. A path that was made from a field
begins with the field, which stands for the attribute's stored name.
"""

from dynamix.expressions.nodes import Condition, Operand, Path, SetOperand, Value
from dynamix.expressions.render import Placeholders, render_condition
from dynamix.wire import AttributeValue

_LONGEST = 100  # characters of a value


def shown_condition(condition: Condition) -> str:
    """The text of a condition."""
    return render_condition(condition, _Plain())


def shown_value(value: AttributeValue) -> str:
    """The text of a value in DynamoDB's JSON form: 'physics', 1.5, true, ['a', 1], {'key': 'b'}. A long one is cut."""
    text = _text(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


class _Plain(Placeholders):
    """Hands out the names and values themselves."""

    def name(self, name: str) -> str:
        return name

    def operand(self, operand: Operand | SetOperand) -> str:
        return shown_value(operand.value) if isinstance(operand, Value) else super().operand(operand)

    def path(self, path: Path) -> str:
        if path.source is None:
            return super().path(path)
        return str(path.source) + "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in path.parts[1:]
        )


def _text(value: AttributeValue) -> str:
    [(kind, content)] = value.items()
    match kind:
        case "N":
            return str(content)
        case "BOOL":
            return "true" if content else "false"
        case "NULL":
            return "null"
        case "B":
            return f"binary {content!r}"
        case "L":
            return f"[{', '.join(map(_text, content))}]"
        case "M":
            return "{" + ", ".join(f"{key!r}: {_text(element)}" for key, element in content.items()) + "}"
        case "NS":
            return "{" + ", ".join(content) + "}"
        case "SS" | "BS":
            return "{" + ", ".join(map(repr, content)) + "}"
    return repr(content)
