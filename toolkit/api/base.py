"""What the functions of the API share: where files lie, and how they warn."""

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import warn

if TYPE_CHECKING:
    from toolkit.parity.against import Load
    from toolkit.reading import Reading

# Where `export` writes and the others look, and where `bench` keeps records, unless told otherwise.
EXPORTED = Path("exported")
BENCHMARKS = Path("benchmarks")


def loading(data: str | PathLike[str], asked: "Reading | None") -> "Load":
    """Return what loads a data set for a model of any file: read as asked, photos in the size that the model takes."""
    from toolkit.data import load
    from toolkit.reading import Reading
    from toolkit.worker.keras import reading_for

    choice = fspath(data)
    return lambda shape: load(choice, warn=warn, reading=reading_for(choice, asked, Reading(model_shape=shape)))
