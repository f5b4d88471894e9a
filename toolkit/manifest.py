"""``manifest.json``: what a folder of artifacts is and where it came from."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.errors import ArtifactError
from toolkit.files import sha256, write_json

MANIFEST = "manifest.json"
SCHEMA = 1


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. ``shape`` begins with the batch, None where free; real = scale × (value - zero_point)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class MeasuredOn:
    """Where a figure was measured, by what decides about it: the CPU, its kernel class, the runtime and its version.

    kernels: ``Host.kernels`` of that machine, None where its system did not tell.
    """

    cpu: str
    kernels: str | None
    runtime: str


@dataclass(frozen=True)
class Artifact:
    """One exported file, named relative to its manifest."""

    path: str
    format: str
    quantization: str
    sha256: str
    size_bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    details: dict[str, Any] = field(default_factory=dict)
    verified: dict[str, Any] | None = None

    @property
    def measured_on(self) -> "MeasuredOn | None":
        """The machine that verified it; None where that is not recorded."""
        document = (self.verified or {}).get("measured_on")
        return MeasuredOn(**document) if document else None


@dataclass(frozen=True)
class Derived:
    """A file that holds an artifact in a form for compilers, which no runtime runs. made_from: the artifact's path."""

    path: str
    format: str
    quantization: str
    sha256: str
    size_bytes: int
    made_from: str


@dataclass(frozen=True)
class Manifest:
    """The manifest of one exported model. ``folder`` is where it was read from and is not written."""

    folder: Path
    model: str
    data: dict[str, Any]
    recipe: dict[str, Any] | None
    source: dict[str, Any]
    reference: dict[str, Any]
    golden: dict[str, Any]
    calibration: dict[str, Any]
    versions: dict[str, str]
    created: str
    artifacts: tuple[Artifact, ...]
    derived: tuple[Derived, ...] = ()

    @property
    def reference_path(self) -> Path:
        """The Keras original."""
        return self.folder / str(self.reference["path"])

    @property
    def golden_path(self) -> Path:
        """The recorded inputs and outputs."""
        return self.folder / str(self.golden["path"])

    def with_verified(self, results: dict[str, dict[str, Any]]) -> "Manifest":
        """Return the manifest with the verify results of the artifacts named in ``results``."""
        artifacts = (replace(a, verified=results.get(a.path, a.verified)) for a in self.artifacts)
        return replace(self, artifacts=tuple(artifacts))

    def check_digest(self, entry: Artifact | Derived | dict[str, Any]) -> str | None:
        """Return what is wrong with the file of an entry, or None where it is the file that was exported."""
        document = entry if isinstance(entry, dict) else asdict(entry)
        path = self.folder / str(document["path"])
        if not path.is_file():
            return f"{path}: named in {self.folder / MANIFEST} but missing; export the model again"
        if sha256(path) != document["sha256"]:
            return f"{path}: changed since it was exported (its SHA-256 is not the manifest's); export the model again"
        return None

    def require(self, *entries: Artifact | Derived | dict[str, Any]) -> None:
        """Raise ArtifactError unless the files of the entries are the exported ones."""
        for entry in entries:
            if problem := self.check_digest(entry):
                raise ArtifactError(problem)

    def write(self) -> Path:
        """Write the manifest into its folder and return its path."""
        document = asdict(self)
        del document["folder"]
        path = self.folder / MANIFEST
        write_json(path, {"schema": SCHEMA, **document})
        return path


def read(folder: Path) -> Manifest:
    """Read the manifest of ``folder``; ArtifactError where there is none or it cannot be understood.

    Digests are held against the files with ``check_digest`` and ``require``, so that a command can report one changed
    file and go on with the others.
    """
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder}: no {MANIFEST} there; 'toolkit export' writes one") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    try:
        if document["schema"] != SCHEMA:
            raise ArtifactError(f"{path}: has schema {document['schema']}, this toolkit reads {SCHEMA}; export again")
        artifacts = tuple(_artifact(entry) for entry in document["artifacts"])
        derived = tuple(Derived(**entry) for entry in document.get("derived", ()))
        rest = {key: value for key, value in document.items() if key not in ("schema", "artifacts", "derived")}
        return Manifest(folder=folder, artifacts=artifacts, derived=derived, **rest)
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: not a manifest that toolkit wrote ({error})") from error


def folders(path: Path) -> list[Path]:
    """Return the folder itself where it has a manifest, else its subfolders that have one; ArtifactError for none."""
    if (path / MANIFEST).is_file():
        return [path]
    found = sorted(file.parent for file in path.glob(f"*/{MANIFEST}"))
    if not found:
        raise ArtifactError(f"{path}: no {MANIFEST} there or in its subfolders; 'toolkit export' writes one")
    return found


def listing(file: Path) -> Manifest | None:
    """Return the manifest that lists ``file``, as an artifact or as the reference; None where none does.

    Raises ArtifactError where the file is not the one that was exported.
    """
    if not (file.parent / MANIFEST).is_file():
        return None
    found = read(file.parent)
    entries: list[Artifact | dict[str, Any]] = [a for a in found.artifacts if a.path == file.name]
    if found.reference["path"] == file.name:
        entries.append(found.reference)
    found.require(*entries)
    return found if entries else None


def _artifact(document: dict[str, Any]) -> Artifact:
    tensors = {key: tuple(_tensor(spec) for spec in document[key]) for key in ("inputs", "outputs")}
    artifact = Artifact(**{**document, **tensors})
    if not isinstance(artifact.verified, dict | None):
        raise TypeError(f"the result of {artifact.path} is {artifact.verified!r}")
    _ = artifact.measured_on  # TypeError where it is not understood
    return artifact


def _tensor(document: dict[str, Any]) -> TensorSpec:
    return TensorSpec(**{**document, "shape": tuple(document["shape"])})
