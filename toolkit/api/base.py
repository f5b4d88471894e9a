"""What the functions of the API share: where files lie, and how they warn."""

import sys
import warnings
from pathlib import Path

from toolkit.errors import ToolkitWarning

# Where `export` writes and the others look, and where `bench` keeps records, unless told otherwise.
EXPORTED = Path("exported")
BENCHMARKS = Path("benchmarks")


def warn(text: str) -> None:
    """Warn at the line that called toolkit."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "toolkit":
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, ToolkitWarning, stacklevel=depth)
