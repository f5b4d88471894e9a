"""Keras files that this process itself must load, to convert them or to train them further."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit import data, runs
from toolkit.convention import image_shape
from toolkit.files import require_file, sha256
from toolkit.reading import Reading
from toolkit.runtimes.keras import loading
from toolkit.worker.session import contained

# What has a worker load a file and run it once, as ``Workers.try_out``.
TryOut = Callable[[Path, Sequence[int]], None]

# Digests of the files that a worker has run, and on what: once for each in a process is enough.
_TRIED: set[tuple[str, tuple[int, ...]]] = set()


def load_model(path: Path, rows: Sequence[int] = (), *, try_out: TryOut | None = None) -> Any:
    """Load a model as ``toolkit.runtimes.keras.loading.load_model`` does, once a worker has loaded and run it.

    A file that crashes, has no end or fills the memory does so there, and is an ArtifactError here. The weights of a
    run below ``runs/`` are taken for the user's own training and are not tried: importing TensorFlow once more takes
    seconds.
    rows: the shape (N, …) of what the model is asked about next. Without it a row of the model's own size is tried, and
    none where the model leaves that free. try_out: of a worker that goes on with the file; None stands for one that is
    there for this alone.
    """
    require_file(path)
    if not is_own(path) and (tried := (sha256(path), tuple(rows))) not in _TRIED:
        if try_out is not None:
            try_out(path, rows)
        else:
            with contained() as workers:
                workers.try_out(path, rows)
        _TRIED.add(tried)
    return loading.load_model(path)


def reading_for(
    choice: str, asked: Reading | None, recorded: Reading | None, *files: Path, try_out: TryOut | None = None
) -> Reading:
    """Return how data are read for a model: as asked, else as recorded of its training; photos as the model takes them.

    choice: what ``toolkit.data.load`` takes. recorded: None where no training is known; files: then those of models,
    the first of which says what images they take. try_out: as of ``load_model``.
    """
    fields = data.reads(choice)
    if recorded is None:
        asks_model = files and "image_size" in fields
        takes = image_shape(load_model(files[0], try_out=try_out).input_shape) if asks_model else None
        recorded = Reading(model_shape=takes)
    recorded = recorded.only(fields)
    return replace(asked, model_shape=recorded.model_shape) if asked else recorded


def is_own(path: Path) -> bool:
    """Say whether a file, links followed, holds the weights of a run below ``runs/``: any other may be anybody's."""
    return runs.folder_of(path) is not None and path.resolve().is_relative_to(runs.RUNS.resolve())
