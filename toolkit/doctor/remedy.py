"""Commands that mend things, as they are to be typed here and now."""

import os
import shlex
import sys

# What to do about a damaged file of an export: make it again, which takes TensorFlow, or fetch it again.
EXPORT = "toolkit export"
COPY = "copy the folder again from where it was exported"
# What to do about an artifact that answers differently on another kind of CPU.
EXPORT_ANEW = "export it again with this toolkit (toolkit export); until then toolkit bench recommends another"


def pip(arguments: str) -> str:
    """Return a call of the pip of this installation: a bare ``pip`` is the system's unless it is activated."""
    return f"{interpreter()} -m pip {arguments}"


def interpreter() -> str:
    """Return the running Python for a shell, by its path from the current folder where that is shorter."""
    relative = os.path.relpath(sys.executable)
    relative = relative if os.sep in relative else f"./{relative}"  # a bare name would be looked for on PATH
    return shlex.quote(min(sys.executable, relative, key=len))
