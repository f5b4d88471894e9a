"""Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, 2017; MIT): 60,000 + 10,000 pieces of clothing, 28×28 grey."""

from pathlib import Path

from toolkit.cache import cache_folder
from toolkit.data import idx
from toolkit.data.base import Dataset
from toolkit.downloads import download, search_folders

SUMMARY = "Fashion-MNIST, 60,000 + 10,000 pieces of clothing"
# SHA-256 of the uncompressed IDX bytes, as for MNIST.
DIGESTS = {
    "train_images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train_labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "test_images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "test_labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FOLDER = "fashion-mnist"
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
# MD5 of the published .gz files (README of zalandoresearch/fashion-mnist), in the order of idx.FILES.
FILE_MD5 = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
# Where Debian's package dataset-fashion-mnist installs it.
SYSTEM_FOLDER = Path("/usr/share/datasets")


def locate() -> Path | None:
    """Return the folder of IDX files on this machine."""
    for folder in (*search_folders(), SYSTEM_FOLDER):
        if idx.complete(folder / FOLDER):
            return folder / FOLDER
    return None


def fetch() -> Path:
    """Download the four files to the user's cache; DataUnavailableError if that fails."""
    folder = cache_folder() / FOLDER
    files = f"a folder {FOLDER} with its four files"
    for name, md5 in zip(idx.FILES, FILE_MD5, strict=True):
        path = folder / f"{name}.gz"
        download(f"{URL}/{path.name}", path, known_hash=f"md5:{md5}", what="Fashion-MNIST", files=files)
    return folder


def load(path: Path) -> Dataset:
    """Read Fashion-MNIST from what ``locate`` or ``fetch`` returned."""
    return idx.load(path)
