"""The files that a doctor looks at: those of manifests, and those that are asked for by themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit import manifest as manifests
from toolkit import runtimes
from toolkit.bench import candidates
from toolkit.entries import ListedFile
from toolkit.errors import ArtifactError
from toolkit.files import require_file, sha256
from toolkit.manifest import MANIFEST, Artifact, Manifest


@dataclass(frozen=True)
class File:
    """A file that a manifest lists, or one without a manifest that was asked for by itself.

    problem: what is wrong with one that is listed, or None if it is the one that was exported. golden: how it fails
    here, or answers differently than where it was exported; None if neither, or nothing runs it.
    """

    path: Path
    sha256: str
    size_bytes: int
    problem: str | None = None
    golden: str | None = None
    listed: bool = True


def find(paths: Sequence[Path]) -> tuple[list[File], dict[Path, str]]:
    """Return the files that paths stand for, and the manifests that cannot be read with what is wrong with each.

    A file stands for itself, a folder for what its manifests list, or, without one, for the models below it. Raises
    ArtifactError for a path that is not there or holds no model, UsageError for a file that no runtime runs.
    """
    files: dict[Path, File] = {}
    unreadable: dict[Path, str] = {}
    for path in paths:
        if not path.exists():
            raise ArtifactError(f"{path}: no such file or folder")
        for file in _in_folder(path, unreadable) if path.is_dir() else _by_itself(path, unreadable):
            files[file.path.resolve()] = file
    return list(files.values()), unreadable


def _in_folder(path: Path, unreadable: dict[Path, str]) -> list[File]:
    if folders := manifests.below(path):
        return [file for folder in folders for file in _listed(folder, unreadable)]
    models = candidates.files(path)
    if not models:
        allowed = ", ".join(runtimes.suffixes())
        raise ArtifactError(f"{path}: neither a {MANIFEST} nor a model there or below; allowed: {allowed} files")
    return [_unlisted(file) for file in models]


def _by_itself(path: Path, unreadable: dict[Path, str]) -> list[File]:
    require_file(path)
    if (path.parent / MANIFEST).is_file():
        listed = _listed(path.parent, unreadable)
        named = [file for file in listed if path.name in (file.path.name, MANIFEST)]
        if named or path.parent / MANIFEST in unreadable:
            return named
    runtimes.for_file(path)
    return [_unlisted(path)]


def _unlisted(path: Path) -> File:
    return File(path, sha256(path), path.stat().st_size, listed=False)


def _listed(folder: Path, unreadable: dict[Path, str]) -> list[File]:
    """Return the files of a manifest; none if it cannot be read, which is noted."""
    try:
        return list(_entries(manifests.read(folder)))
    except ArtifactError as error:
        unreadable[folder / MANIFEST] = str(error)
        return []


def _entries(manifest: Manifest) -> Iterator[File]:
    entries: list[Artifact | ListedFile] = [*manifest.artifacts, manifest.reference, manifest.golden]
    entries += [manifest.novelty] if manifest.novelty else []
    for entry in entries:
        file = manifest.folder / entry.path
        size = file.stat().st_size if file.is_file() else 0
        yield File(file, entry.sha256, size, manifest.check_digest(entry))
