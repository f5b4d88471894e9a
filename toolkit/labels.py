"""Names of classes in a text file, a line each: what comes with models of others."""

from pathlib import Path

from toolkit.errors import UsageError
from toolkit.files import read_bytes
from toolkit.golden import MAX_CLASSES
from toolkit.text import encoding_of, printable

# Bytes of a name, on average, and of the largest file that is read.
_NAME_BYTES = 200
MOST_BYTES = MAX_CLASSES * _NAME_BYTES


def read(path: Path) -> tuple[str, ...]:
    """Return the names, in the order of the classes; UsageError for what is no such file."""
    content = read_bytes(path, most=MOST_BYTES, error=UsageError)
    try:
        names = [str(printable(line.strip())) for line in content.decode(encoding_of(content)).rstrip().split("\n")]
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no text in UTF-8; save it in UTF-8, the name of a class in each line") from error
    if "" in names:
        raise UsageError(f"{path}: line {names.index('') + 1} is empty; give the name of a class in each line")
    return tuple(names)
