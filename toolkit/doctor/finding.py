"""One thing that was looked at, in one line."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """``ABSENT``: an extra that need not be installed is not; ``WARNING``: it works, but figures or safety suffer."""

    OK = "ok"
    ABSENT = "absent"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, and what mends it."""

    name: str
    state: Health
    text: str
    remedy: str | None = None
