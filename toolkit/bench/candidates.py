"""What can be measured: the artifacts that files and folders stand for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import extras, runtimes
from toolkit import manifest as manifests
from toolkit.convention import fits
from toolkit.errors import ArtifactError
from toolkit.files import require_file
from toolkit.manifest import MANIFEST, Artifact, Manifest
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.worker.session import contained


@dataclass(frozen=True)
class Candidate:
    """A file to measure.

    manifest: the one that lists it, if there is one. shapes: of inputs, by name, with more sizes free than the batch.
    """

    path: Path
    runtime: str
    manifest: Manifest | None
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def artifact(self) -> Artifact | None:
        """The manifest's entry, if there is one; the Keras original has none."""
        entries = self.manifest.artifacts if self.manifest else ()
        return next((entry for entry in entries if entry.path == self.path.name), None)


def select(
    paths: Sequence[Path], *, shapes: Mapping[str, Sequence[int]] | None = None, warn: Callable[[str], None]
) -> list[Candidate]:
    """Return the files that files and folders stand for.

    shapes: as ``Candidate`` has them, for all of the files.

    In a folder, files without an installed runtime are left out with a warning; named by itself, such a file is a
    MissingExtraError. So are artifacts there that the chosen runtime does not run. ArtifactError if nothing is left, or
    if a file is not the one that its manifest lists.
    """
    candidates: dict[Path, Candidate] = {}
    missing: dict[str, int] = {}
    left: list[str] = []
    for path in paths:
        for file in files(path):
            name = runtimes.for_file(file)
            if path.is_file():
                extras.require(runtimes.get(name).PACKAGE)
            if runtimes.installed(name):
                candidate = Candidate(file, name, manifests.listing(file), shapes or {})
                listed = candidate.artifact
                if path.is_file() or listed is None or runtimes.takes(file, listed.quantization):
                    candidates.setdefault(file.resolve(), candidate)
                else:
                    left.append(str(file))
            elif name != REFERENCE_RUNTIME:  # a device without TensorFlow is as it should be
                missing[name] = missing.get(name, 0) + 1
    for name, count in missing.items():
        warn(f"{count} files left out, {extras.missing(runtimes.get(name).PACKAGE)}")
    if left:
        warn(f"left out, the runtime does not run them: {', '.join(left)}")
    if not candidates:
        places = ", ".join(str(path) for path in paths)
        raise ArtifactError(f"{places}: nothing to measure there; allowed: {', '.join(runtimes.suffixes())} files")
    return list(candidates.values())


def check_shapes(paths: Sequence[Path], shapes: Mapping[str, Sequence[int]]) -> None:
    """Raise ArtifactError for the shape of an input that none of the files has, or that none can have."""
    if not shapes:
        return
    left = list(shapes.items())
    seen: dict[str, None] = {}
    with contained() as workers:
        for path in paths:
            try:
                inputs = workers.open_session(path).inputs
            except ArtifactError:  # which is told where the file is measured
                return
            seen |= {f"{spec.name} {spec.shape}": None for spec in inputs}
            left = [one for one in left if not any(one[0] == spec.name and fits(spec.shape, one[1]) for spec in inputs)]
            if not left:
                return
    name, shape = left[0]
    raise ArtifactError(f"no file has an input '{name}' that can be {tuple(shape)}; they take {', '.join(seen)}")


def files(path: Path) -> list[Path]:
    """Return the file itself, or the artifacts below a folder, beside a manifest only those that it lists.

    A Keras model is measured if it is named itself, or nothing else is there: TensorFlow takes longer to start than
    all else to measure. ArtifactError if there is neither.
    """
    if path.is_file():
        return [path]
    if not path.exists():
        raise ArtifactError(f"{path}: no such file or folder")
    if not path.is_dir():
        require_file(path)  # which says what it is
    below = [
        file
        for file in sorted(path.rglob("*"))
        if file.suffix in runtimes.suffixes()
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    below = [file for file in below if runtimes.for_file(file) != REFERENCE_RUNTIME] or below
    beside = {file.parent: manifests.read(file.parent) for file in below if (file.parent / MANIFEST).is_file()}
    listed: dict[Path, list[str]] = {
        parent: [artifact.path for artifact in manifest.artifacts] for parent, manifest in beside.items()
    }
    chosen = [file for file in below if file.parent not in listed or file.name in listed[file.parent]]
    return sorted(chosen, key=lambda p: (p.parent, listed[p.parent].index(p.name) if p.parent in listed else 0, p.name))
