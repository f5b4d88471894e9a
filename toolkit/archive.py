"""One file that holds a folder's files: the same content gives the same bytes, and unpacking stays in its folder.

It is a zip file whose entries are stored, not compressed. Zip, since Python's ``zipfile`` and ``unzip`` are on every
device and make plain files of its entries, where tar extracts links, devices and owners. Stored, since what compression
gives depends on the version of zlib, and since nothing can then grow when it is unpacked: models and goldens hardly
shrink anyway.
"""

import stat
import struct
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from toolkit.errors import ArtifactError
from toolkit.files import atomic, opened

# The earliest time that a zip entry can have, and the mode that every entry gets.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = stat.S_IFREG | 0o644
_UNIX = 3
_ENCRYPTED = 0x1
# What `zipfile` raises for files that are no whole zip file, beside its own errors.
_DAMAGED = (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OverflowError, MemoryError, struct.error)


def pack(path: Path, entries: Mapping[str, bytes]) -> None:
    """Write an archive atomically: content by name (``folder/file``), in the order of the names.

    ArtifactError for a name that ``unpack`` would refuse.
    """
    for name in entries:
        if problem := _problem_of_name(name):
            raise ArtifactError(f"{path}: cannot hold {name!r}, which {problem}")
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, entries[name])


def unpack(path: Path, folder: Path) -> list[str]:
    """Write the files of an archive into ``folder``; return the names of those whose bytes are damaged.

    Nothing is written if an entry could leave the folder, is no plain file, or is there twice: ArtifactError, as
    where the file is no archive of this kind.
    """
    damaged = []
    try:
        with opened(path) as packed, zipfile.ZipFile(packed) as archive:
            entries = archive.infolist()
            _check(path, entries)
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    content = archive.read(entry)
                except zipfile.BadZipFile:
                    damaged.append(entry.filename)
                    continue
                with target.open("xb") as file:
                    file.write(content)
    except _DAMAGED as error:
        raise ArtifactError(f"{path}: not a whole archive: {error}") from error
    return damaged


def _check(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise ArtifactError for what ``pack`` does not write and a hostile archive might hold."""
    for entry in entries:
        if problem := _problem(entry):
            raise ArtifactError(f"{path}: refused, nothing was unpacked: {entry.orig_filename!r} {problem}")
    # File systems of SD cards know no upper case. In this order what lies in a folder follows it.
    names = sorted(f"{entry.filename.casefold()}/" for entry in entries)
    for name, following in pairwise(names):
        if following.startswith(name):
            raise ArtifactError(f"{path}: refused, nothing was unpacked: {name.removesuffix('/')!r} is there twice")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise ArtifactError(f"{path}: refused, nothing was unpacked: its files are larger than itself")


def _problem(entry: zipfile.ZipInfo) -> str | None:
    if problem := _problem_of_name(entry.orig_filename):
        return problem
    if entry.filename != entry.orig_filename or not stat.S_ISREG(entry.external_attr >> 16):
        return "is not a plain file"
    if entry.header_offset < 0:
        return "lies before the start of the file"
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        return "is compressed"
    return "is encrypted" if entry.flag_bits & _ENCRYPTED else None


def _problem_of_name(name: str) -> str | None:
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "is not the path of a file inside it"
    if any(character in "\\:" or not character.isprintable() for character in name):
        return "is not a name that every system reads alike"
    return None
