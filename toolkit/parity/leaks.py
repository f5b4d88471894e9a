"""Does a test set hold images that the model learned from?"""

from collections.abc import Callable

from toolkit import data, overlap
from toolkit.data.base import Dataset
from toolkit.errors import DataUnavailableError
from toolkit.manifest import Manifest
from toolkit.overlap import Digests, Overlap


def of_test_set(found: Manifest, dataset: Dataset, *, warn: Callable[[str], None]) -> tuple[Overlap, ...]:
    """Hold the test images against the images that the model of a manifest was trained and validated on.

    Where those are not to be had, against its calibration images, a sample of them whose digests the manifest keeps.
    """
    learned = _training_digests(found, dataset)
    part = "training"
    if learned is None:
        part, learned = "calibration", overlap.from_hex(found.calibration["row_sha256_16"])
        warn(
            f"{found.folder}: the images of '{found.data['name']}' that it was trained on are not on this machine; "
            f"the test images were held against its {len(learned)} calibration images only"
        )
    return overlap.find({part: learned, "test": dataset.test.row_digests})


def _training_digests(found: Manifest, dataset: Dataset) -> Digests | None:
    """Return the digests of all training and validation images, if they are on this machine."""
    if dataset.digests["train_images"] == found.data["digests"]["train_images"]:
        return dataset.train.row_digests
    source = data.named_sources().get(str(found.data["name"]))
    if source is None or source.locate() is None:
        return None
    try:
        return data.load(str(found.data["name"]), warn=lambda text: None).train.row_digests
    except DataUnavailableError:
        return None
