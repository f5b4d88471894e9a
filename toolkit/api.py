"""What a program calls, and what every verb of the command line calls: it prints nothing.

Paths are ``str`` or ``os.PathLike``; a run and an export are paths of their folders. Images are pixels, (N, H, W, C)
uint8. Errors are ToolkitError or one of its kinds (toolkit/errors.py); warnings are ``ToolkitWarning``. ``on_step`` is
called with a ``Step`` after each step, in this thread.
"""

import sys
import warnings
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, ToolkitWarning
from toolkit.parity.statistics import DEFAULT_MARGIN_PP
from toolkit.step import OnStep, Step, ignore

if TYPE_CHECKING:
    from toolkit.parity.verify import Parity
    from toolkit.runtimes.base import Session

__all__ = ["EXPORTED", "Step", "ToolkitError", "ToolkitWarning", "open_session", "verify"]

# Where `export` writes, and where the others look, unless told otherwise.
EXPORTED = Path("exported")


def open_session(artifact: str | PathLike[str], *, threads: int = 1) -> "Session":
    """Load an artifact on the runtime of its suffix, in this process: ``.predict(images)`` gives (N, classes) float32.

    threads: of the runtime; 0 leaves their number to it. A session is not for several threads at once. Raises
    ArtifactError for a file that cannot be loaded, MissingExtraError where its runtime is not installed, UsageError
    where none runs such files. Open only files that you trust: what a runtime does with a damaged one, it does here.
    """
    from toolkit import runtimes

    return runtimes.open_session(Path(artifact), threads=threads)


def verify(
    *paths: str | PathLike[str],
    data: str | PathLike[str] | None = None,
    golden: bool = False,
    margin_pp: float = DEFAULT_MARGIN_PP,
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
) -> "Parity":
    """Compare artifacts with the Keras model that they were made from, image by image; true where all passed.

    paths: artifacts or folders of them; none stands for ``exported/``. data: whose test images are used, by name or
    path, as ``--data`` takes it; None stands for what the model was trained on. golden: compare with the recorded
    outputs instead, which takes neither TensorFlow nor data and measures no accuracy. margin_pp: accuracy that may be
    lost, in percentage points. allow_overlap: go on where the model has learned from test images.

    ``.comparisons`` has one for each artifact, ``.verdict`` is ``pass``, ``fail`` or ``inconclusive`` (too few images
    to tell), ``.to_json()`` is the document of ``toolkit verify --json``. A damaged artifact fails, with its
    ``problem``. Raises ArtifactError for a manifest or Keras model that is missing or damaged, DataError for data that
    cannot be had or overlap.
    """
    from toolkit.parity.verify import Options, verify_all

    options = Options(
        None if data is None else fspath(data), by_golden=golden, margin_pp=margin_pp, allow_overlap=allow_overlap
    )
    return verify_all([Path(path) for path in paths or (EXPORTED,)], options, warn=_warn, on_step=on_step)


def _warn(text: str) -> None:
    """Warn at the line that called toolkit."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, ToolkitWarning, stacklevel=depth)
