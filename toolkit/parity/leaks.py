"""Does a test set hold rows that the model learned from?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import data, overlap
from toolkit.data.base import Dataset
from toolkit.errors import DataUnavailableError
from toolkit.files.arrays import Expected, read_npy
from toolkit.manifest import Manifest, listing
from toolkit.overlap import Digests, Overlap

# What was checked of a model that keeps the digests of all rows, or whose data are on this machine.
ALL = "all"
# What results and records say of rows that no model has learned from.
NOT_CHECKED: dict[str, Any] = {"overlap": [], "overlap_checked": None}


@dataclass(frozen=True)
class LeakCheck:
    """The test rows that models have learned from.

    checked: all that they learned from, or, of one of them, a sample; None if nobody knows it of one.
    """

    overlaps: tuple[Overlap, ...]
    checked: str | None

    def to_json(self) -> dict[str, Any]:
        """Return what results and records say of it."""
        return {"overlap": [one.to_json() for one in self.overlaps], "overlap_checked": self.checked}


def check_test_set(
    manifest: Manifest, dataset: Dataset, *, allowed: bool, warn: Callable[[str], None], instead: str = ""
) -> LeakCheck:
    """Compare the test rows with the rows that the model of a manifest was trained and validated on.

    Those are the rows of ``dataset`` itself, the digests that the export kept, or a data set of that name on this
    machine. If there are none of these, the digests of the calibration rows, a sample of the training rows, serve.
    Raises DataError if the model has learned from test rows, unless that is allowed; instead: what else can be done.
    """
    learned = _compared(manifest, dataset, warn)
    what = f"{manifest.folder} on '{dataset.name}'"
    overlap.refuse(learned.overlaps, what=what, noun=dataset.noun, allowed=allowed, instead=instead)
    return learned


def check_files(
    files: Sequence[Path], dataset: Dataset, *, allowed: bool, warn: Callable[[str], None]
) -> dict[str, Any]:
    """Return what results say of the test rows and of all that files have learned from, as ``check_test_set`` finds it.

    Of a file that no manifest lists nobody knows what it has learned from.
    """
    manifests = {one and one.folder: one for one in map(listing, files)}
    learned = [one and check_test_set(one, dataset, allowed=allowed, warn=warn) for one in manifests.values()]
    known = [one for one in learned if one]
    shared = dict.fromkeys(each for one in known for each in one.overlaps)
    checked = None if None in learned else next((one.checked for one in known if one.checked != ALL), ALL)
    return LeakCheck(tuple(shared), checked).to_json()


def _compared(manifest: Manifest, dataset: Dataset, warn: Callable[[str], None]) -> LeakCheck:
    learned = _training_digests(manifest, dataset)
    if learned is not None:
        return LeakCheck(overlap.find({"training": learned, "test": dataset.test.row_digests}), ALL)
    sample, nouns = overlap.from_hex(manifest.calibration.row_sha256_16), f"{manifest.noun}s"
    warn(
        f"{manifest.folder}: the {nouns} of '{manifest.data.name}' that it was trained on are not on this machine; the "
        f"test {nouns} were compared with a sample of them, its {len(sample)} calibration {nouns}"
    )
    return LeakCheck(overlap.find({"calibration": sample, "test": dataset.test.row_digests}), f"calibration {nouns}")


def _training_digests(manifest: Manifest, dataset: Dataset) -> Digests | None:
    """Return the digests of all training and validation rows, if they are on this machine."""
    if dataset.digests["train_images"] == manifest.data.digests.get("train_images"):
        return dataset.learned_digests
    if kept := manifest.data.rows:
        manifest.require(kept)
        return read_npy(manifest.folder / kept.path, Expected(("uint64",), (None,)), what="digests of images")
    source = data.named_sources().get(manifest.data.name)
    if source is None or source.locate() is None:
        return None
    try:
        return data.load(manifest.data.name, warn=lambda text: None).learned_digests
    except DataUnavailableError:
        return None
