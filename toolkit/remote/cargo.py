"""What is taken to a device to be measured there, and how its files are called on either side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit import runtimes
from toolkit.bench import candidates
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import require_file
from toolkit.manifest import MANIFEST, Manifest, listing
from toolkit.parity import verify
from toolkit.runtimes import REFERENCE_RUNTIME


@dataclass(frozen=True)
class Cargo:
    """Files for a device, by their path there. paths: those to measure. folders: the one here of each there."""

    files: dict[str, Path]
    paths: list[str]
    folders: dict[str, Path]

    def here(self, path: str) -> Path:
        """Return what a path on the device is called here; ArtifactError for one that was not asked for."""
        if path not in self.paths:
            raise ArtifactError(f"it speaks of {path!r}, which was not asked for")
        return self.folders[str(Path(path).parent)] / Path(path).name

    def at_home(self, text: str) -> str:
        """Return what a device says with its paths replaced by those here."""
        for there, here in self.folders.items():
            text = text.replace(f"{there}/", f"{here}/" if here != Path() else "")
        return text


def to_bench(paths: Sequence[Path]) -> Cargo:
    """Return what ``bench`` needs of files and folders, whatever is installed here; UsageError for a Keras original."""
    files = {file.resolve(): file for path in paths for file in candidates.files(path)}.values()
    originals = [file for file in files if runtimes.for_file(file) == REFERENCE_RUNTIME]
    if named := [file for file in originals if file in paths]:
        raise UsageError(f"{named[0]}: a Keras original needs TensorFlow, which no device gets; leave it out")
    chosen = [file for file in files if file not in originals]
    if not chosen:
        raise ArtifactError(f"{', '.join(map(str, paths))}: nothing to measure there")
    return _pack(((file, listing(file)) for file in chosen), named=paths)


def to_verify(paths: Sequence[Path]) -> Cargo:
    """Return what ``verify --golden`` needs of files and folders."""
    chosen = ((manifest.folder / a.path, manifest) for manifest, artifacts in verify.select(paths) for a in artifacts)
    return _pack(chosen, named=paths)


def _pack(chosen: Iterable[tuple[Path, Manifest | None]], *, named: Sequence[Path]) -> Cargo:
    """Number the folders: what a path here is called, and where, is no device's concern.

    ArtifactError for a symbolic link that the user did not name: what it leads to may not be meant for a device. Also
    for what is no file, or an empty one, as those that the system makes up: to read them might never end.
    """
    files: dict[str, Path] = {}
    paths: list[str] = []
    folders: dict[Path, str] = {}
    for path, manifest in chosen:
        there = folders.setdefault(path.parent, f"models/{len(folders)}")
        paths.append(f"{there}/{path.name}")
        needed = [path]
        if manifest is not None:
            golden = manifest.golden_path
            needed += [path.parent / MANIFEST, golden]
        for file in needed:
            if file.is_symlink() and file not in named:
                raise ArtifactError(f"{file}: a symbolic link, which no device gets; put the file itself there")
        present = [file for file in needed if file.exists()]  # the device names what is missing
        for file in present:
            require_file(file)
        files |= {f"{there}/{file.name}": file for file in present}
    return Cargo(files, paths, {there: here for here, there in folders.items()})
