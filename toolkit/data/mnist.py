"""MNIST (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0): 60,000 + 10,000 handwritten digits, 28×28 grey."""

from pathlib import Path

from toolkit.cache import cache_folder
from toolkit.data import idx, npz
from toolkit.data.base import Dataset
from toolkit.downloads import download, search_folders

SUMMARY = "MNIST, 60,000 + 10,000 handwritten digits"
# SHA-256 of the uncompressed IDX bytes of the published files: they hold for every container.
DIGESTS = {
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
LIMITS = (
    "Single handwritten digits, scanned or photographed, brought to MNIST's form (28×28, light ink on black, centred "
    "by mass; `toolkit predict` does it). The writers were US census employees and students around 1990: other hands, "
    "such as a crossed 7 or a 1 with a long upstroke, are rare in the data, and accuracy on them was not measured."
)
FILE = "mnist.npz"
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
FILE_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def locate() -> Path | None:
    """Return where MNIST is on this machine: a .npz file, or a folder of IDX files called ``mnist``."""
    for folder in search_folders():
        if (file := folder / FILE).is_file():
            return file
        if idx.complete(folder / "mnist"):
            return folder / "mnist"
    return None


def fetch() -> Path:
    """Download the .npz to the user's cache; DataUnavailableError if that fails."""
    return download(URL, cache_folder() / FILE, known_hash=f"sha256:{FILE_SHA256}", what="MNIST", files=FILE)


def load(path: Path) -> Dataset:
    """Read MNIST from what ``locate`` or ``fetch`` returned."""
    return idx.load(path) if path.is_dir() else npz.load(path)
