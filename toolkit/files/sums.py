"""The SHA-256 of the files of a folder, listed beside them: damage shows, not who made them."""

from collections.abc import Mapping
from pathlib import Path

from toolkit.files.regular import read_bytes
from toolkit.files.writing import write_text

# As `sha256sum --check` reads it, so that a machine without toolkit can check the files too.
SUMS = "SHA256SUMS"
_MOST_BYTES = 1 << 24


def read(folder: Path) -> dict[str, str]:
    """Return the listed digests by file name; a line that is none becomes an entry that no file has."""
    lines = read_bytes(folder / SUMS, most=_MOST_BYTES).decode(errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def write(folder: Path, digests: Mapping[str, str]) -> None:
    """List digests by file name."""
    write_text(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in digests.items()))
