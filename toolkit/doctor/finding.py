"""One thing that was looked at, in one line."""

from dataclasses import asdict, dataclass
from typing import Any

# ABSENT: an extra that is not installed, which is as it may be. WARNING: it works, and figures or safety suffer.
OK, ABSENT, WARNING, BROKEN = "ok", "absent", "warning", "broken"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, and what mends it."""

    name: str
    state: str
    text: str
    remedy: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return its document."""
        return asdict(self)
