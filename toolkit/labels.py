"""Names of classes that come with models of others: in a text file, a line each, or inside a ``.tflite`` file."""

import zipfile
from contextlib import suppress
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.files import read_bytes
from toolkit.files.zips import opened_zip
from toolkit.golden import MAX_CLASSES
from toolkit.text import encoding_of, printable

# Bytes of a name, on average, and of the largest file that is read.
_NAME_BYTES = 200
MOST_BYTES = MAX_CLASSES * _NAME_BYTES


def read(path: Path) -> tuple[str, ...]:
    """Return the names, in the order of the classes; UsageError for what is no such file."""
    return _names(read_bytes(path, most=MOST_BYTES, error=UsageError), path)


def inside(path: Path, classes: int) -> tuple[str, ...]:
    """Return the names that a ``.tflite`` file carries for so many classes; none if it carries no such names.

    TensorFlow Lite's metadata put them into a text file of a zip file at its end
    (https://ai.google.dev/edge/litert/conversion/tensorflow/metadata). Of several, in other languages for instance, the
    zip file does not tell which is meant.
    """
    if path.suffix != ".tflite" or not zipfile.is_zipfile(path):
        return ()
    with suppress(UsageError), opened_zip(path, what="metadata", error=UsageError) as archive:
        texts = [one for one in archive.infolist() if one.filename.endswith(".txt") and one.file_size <= MOST_BYTES]
        named = [_names(archive.read(one), path) for one in texts]
        if len(named) == 1 and len(named[0]) == classes:
            return named[0]
    return ()


def _names(content: bytes, path: Path) -> tuple[str, ...]:
    try:
        names = [str(printable(line.strip())) for line in content.decode(encoding_of(content)).rstrip().split("\n")]
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no text in UTF-8; save it in UTF-8, the name of a class in each line") from error
    if "" in names:
        raise UsageError(f"{path}: line {names.index('') + 1} is empty; give the name of a class in each line")
    return tuple(names)
