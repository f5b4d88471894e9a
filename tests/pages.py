"""What the pages of the documentation show."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code of a page that are in a language."""
    return [code for name, code in FENCE.findall(page.read_text(encoding="utf-8")) if name == language]
