"""What a kill has left: whether each file is whole, whether files agree, and what nobody needs any more."""

import csv
import hashlib
import re
import xml.etree.ElementTree
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tests.kill.servers import Box
from toolkit import golden, locks, manifest, runs, runtimes
from toolkit.bench import record as benchmark
from toolkit.bench.reading import RECORD as BENCHMARK
from toolkit.files import PARTIAL, documents
from toolkit.parity import reading
from toolkit.parity import record as parity
from toolkit.runs import BEST, SCRATCH
from toolkit.study import study
from toolkit.training import checkpoint
from toolkit.training.checkpoint import STATE

# Written piece by piece, on purpose: a reader of these takes what is there.
APPENDED = re.compile(r"\.log$|\.tfevents\.")

# The file by which Python's tempfile, in each process once, tries whether it can write.
PROBE = re.compile(r"[a-z0-9_]{8}")


def _read_json(path: Path) -> None:
    documents.load(path, what="a document")


def _read_text(path: Path) -> None:
    assert path.read_text(encoding="utf-8").endswith("\n"), "it ends in mid-line"


def _read_table(path: Path) -> None:
    _read_text(path)
    with path.open(encoding="utf-8", newline="") as file:
        assert len({len(row) for row in csv.reader(file)}) == 1, "its rows are not of one length"


def _read_arrays(path: Path) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        assert all(array.size for array in arrays.values())


def _read_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, "a file in it is damaged"


def _read_pdf(path: Path) -> None:
    content = path.read_bytes()
    assert content.startswith(b"%PDF-"), "it is no PDF"
    assert content.rstrip().endswith(b"%%EOF"), "it has no end"


def _read_pixels(path: Path) -> None:
    assert path.stat().st_size, "it has no pixels"


def _read_image(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


# How a file is read, by its name or else its suffix.
READERS: dict[str, Callable[[Path], object]] = {
    "manifest.json": lambda path: manifest.read(path.parent),
    "record.json": lambda path: benchmark.read(path.parent),
    "parity.json": reading.read,
    "config.json": lambda path: runs.read_config(path.parent),
    "study.json": lambda path: study.read(path.parent),
    "golden.npz": golden.read,
    "state.npz": checkpoint.load_progress,
    ".json": _read_json,
    ".npz": _read_arrays,
    ".npy": np.load,
    ".keras": _read_archive,
    ".zip": _read_archive,
    ".whl": _read_archive,
    ".pdf": _read_pdf,
    ".pixels": _read_pixels,
    ".png": _read_image,
    ".svg": xml.etree.ElementTree.parse,
    ".html": _read_text,
    ".md": _read_text,
    ".txt": _read_text,
    ".csv": _read_table,
    ".tflite": lambda path: runtimes.open_session(path),
    ".onnx": lambda path: runtimes.open_session(path),
}


def _reader(path: Path) -> Callable[[Path], object]:
    return READERS.get(path.name) or READERS[path.suffix]


def digests(box: Box) -> dict[Path, str]:
    """Return the SHA-256 of each file, by its path in the box; without what killed writers leave."""
    files = (path for top in (box.here, box.cache) for path in top.rglob("*") if path.is_file() and not _is_waste(path))
    return {path.relative_to(box.folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def lost(box: Box, before: Mapping[Path, str]) -> list[str]:
    """Return what is no longer there, and what is neither the old file nor a whole new one."""
    now = digests(box)
    found = [f"{path} is gone" for path in before if path not in now]
    for path, digest in now.items():
        if before.get(path) != digest and not APPENDED.search(path.name):
            try:
                _reader(path)(box.folder / path)
            except Exception as error:  # noqa: BLE001 — whatever a reader says of it
                found.append(f"{path}: {type(error).__name__}: {error}")
    return found + _without_weights(box)


def _without_weights(box: Box) -> list[str]:
    """Return the runs that have finished epochs and no best weights of them."""
    states = box.here.rglob(STATE)
    return [f"{state.parent.name} has no {BEST}" for state in states if not state.with_name(BEST).is_file()]


def weights(folder: Path) -> str:
    """Return a digest of all that a run goes on from, but for how long its epochs took."""
    with np.load(folder / STATE) as arrays:
        kept = {name: arrays[name] for name in sorted(arrays.files) if name != "progress"}
    digest = hashlib.sha256()
    for name, array in kept.items():
        digest.update(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())
    return digest.hexdigest()


def apart(box: Box, before: Mapping[Path, str]) -> list[str]:
    """Return where files that belong together do not agree, as the project's own checks say it of changed folders."""
    found: list[str] = []
    for folder in {box.folder / path.parent for path, digest in digests(box).items() if before.get(path) != digest}:
        if (folder / manifest.MANIFEST).is_file():
            of = manifest.read(folder)
            entries = (*of.artifacts, *of.derived, of.reference, of.golden)
            found += [problem for entry in entries if (problem := of.check_digest(entry))]
        if (folder / parity.RECORD).is_file():
            found += parity.recompute(folder / parity.RECORD).differences
        if (folder / BENCHMARK).is_file():
            found += benchmark.recompute(folder).differences
    return found


def left(box: Box) -> list[str]:
    """Return what writers have left that nobody reads."""
    waste = [path for top in (box.here, box.cache) for path in top.rglob("*") if _is_waste(path)]
    waste += [path for path in box.tmp.iterdir() if not PROBE.fullmatch(path.name)]
    return [str(path.relative_to(box.folder)) for path in waste]


def _is_waste(path: Path) -> bool:
    """Say whether a file has a name that toolkit gives to what it removes, or one that no file of it has."""
    known = path.is_dir() or path.suffix in READERS or APPENDED.search(path.name)
    return not known or any(PARTIAL in part or part == locks.LOCK or part.startswith(SCRATCH) for part in path.parts)
