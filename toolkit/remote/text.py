"""What a device says, without what would steer the terminal that it is printed on."""

from typing import Any


def printable(value: Any, *, keep: str = "") -> Any:
    """Return a JSON value with a space for each character of its texts and keys that is neither printable nor kept."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in keep else " " for c in value)
    if isinstance(value, list):
        return [printable(item, keep=keep) for item in value]
    if isinstance(value, dict):
        return {printable(key, keep=keep): printable(item, keep=keep) for key, item in value.items()}
    return value


def lines(text: str) -> list[str]:
    """Return the lines of what a device wrote that are not empty."""
    return [line for one in text.splitlines() if (line := printable(one).strip())]
