"""Where toolkit keeps what it can make or fetch again.

Also sent to devices as text, before toolkit is there: the standard library alone.
"""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the user's cache folder of toolkit (``XDG_CACHE_HOME`` respected)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-model-toolkit"
