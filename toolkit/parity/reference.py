"""The outputs of the Keras reference, kept in the user's cache: computed once for one model and one set of rows."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import locks, runtimes
from toolkit.cache import cache_folder
from toolkit.data.base import Split
from toolkit.data.base.pixels import chunks
from toolkit.errors import ArtifactError
from toolkit.files import atomic, documents, sha256
from toolkit.manifest import Manifest
from toolkit.parity import checks
from toolkit.runtimes import REFERENCE_RUNTIME, choosing
from toolkit.runtimes.base import Opener

FOLDER = "reference"
# Files that the cache keeps, the newest: 400 kB each for 10,000 rows of 10 classes.
KEPT = 32
_DIGEST_DIGITS = 16


@contextmanager
def outputs(manifest: Manifest, split: Split, open_session: Opener) -> Iterator[NDArray[np.float32]]:
    """Yield the reference's outputs for the rows of ``split``, (N, classes), as a mapped file.

    The file is named after the digests of the model, of the rows and of itself, and after what the model takes:
    neither another model, other rows nor a damaged file is ever taken for it. If no cache can be written, the file
    is a temporary one. open_session: opens the model, if it has to answer. ArtifactError if the outputs are no numbers.
    """
    with locks.scratch() as scratch:
        path = _cached(manifest, split)
        if path is None:
            path = _compute(manifest, split, open_session, scratch)
            path = _keep(path, manifest, split) or path
        answers = np.load(path, mmap_mode="r", allow_pickle=False)
        checks.require_finite(answers, path=manifest.reference_path)
        yield answers


def _key(manifest: Manifest, split: Split) -> str:
    means = json.dumps(documents.to_tree(manifest.convention))
    tools = (f"{name}={text}" for name, text in sorted(runtimes.versions(REFERENCE_RUNTIME).items()))
    parts = (manifest.reference.sha256, split.images_sha256, means, *tools)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[: 2 * _DIGEST_DIGITS]


def _cached(manifest: Manifest, split: Split) -> Path | None:
    """Return the file of the cache, if it is there and whole."""
    for path in (cache_folder() / FOLDER).glob(f"{_key(manifest, split)}-*.npy"):
        if path.stem.endswith(sha256(path)[:_DIGEST_DIGITS]):
            return path
        with contextlib.suppress(OSError):  # a cache that cannot be written keeps it, unused
            path.unlink()
    return None


def _compute(manifest: Manifest, split: Split, open_session: Opener, folder: Path) -> Path:
    """Write the outputs, some rows at a time, and return the file."""
    with choosing(REFERENCE_RUNTIME):  # whatever runs the artifacts
        session = open_session(manifest.reference_path, threads=0)
    session.convention = manifest.convention
    path = folder / "outputs.npy"
    with path.open("wb") as file:
        classes = 0
        for rows in chunks(split.images):
            answers = session.predict(rows)
            if not classes and answers.ndim == 2:
                classes = answers.shape[1]
                header = {"descr": "<f4", "fortran_order": False, "shape": (len(split), classes)}
                np.lib.format.write_array_header_1_0(file, header)
            if answers.shape != (len(rows), classes):
                raise ArtifactError(
                    f"{manifest.reference_path}: answers {len(rows)} images with numbers {answers.shape}; a classifier "
                    "gives one for each class"
                )
            file.write(np.ascontiguousarray(answers, "<f4").tobytes())
    return path


def _keep(path: Path, manifest: Manifest, split: Split) -> Path | None:
    """Move a file into the cache and drop its oldest; None if the cache cannot be written."""
    folder = cache_folder() / FOLDER
    kept = folder / f"{_key(manifest, split)}-{sha256(path)[:_DIGEST_DIGITS]}.npy"
    try:
        with atomic(kept) as temporary:
            shutil.copyfile(path, temporary)
        aged = sorted(folder.glob("*.npy"), key=lambda file: file.stat().st_mtime)
        for old in aged[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return None
    return kept
