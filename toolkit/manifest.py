"""``manifest.json``: what a folder of artifacts is and where it came from."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.convention import Convention, Layout
from toolkit.entries import (
    CalibrationRows,
    CountedFile,
    ListedFile,
    MeasuredOn,
    NoveltyFile,
    Origin,
    RecordedRecipe,
    TrainingData,
    Verification,
)
from toolkit.errors import ArtifactError
from toolkit.files import FileName, documents, require_no_link, sha256, write_json
from toolkit.verdict import Verdict

MANIFEST = "manifest.json"
SCHEMA = 1
_WHAT = "a manifest"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. ``shape`` begins with the batch, None if free; real = scale × (value - zero_point)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Artifact:
    """One exported file, beside its manifest."""

    path: FileName
    format: str
    quantization: str
    sha256: str
    size_bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    details: dict[str, Any] = field(default_factory=dict)
    verified: Verification | None = None

    def __post_init__(self) -> None:
        if not self.inputs or not self.outputs:
            raise ValueError(f"{self.path} has {len(self.inputs)} inputs and {len(self.outputs)} outputs")

    @property
    def is_calibrated(self) -> bool:
        """Whether it rounds activations in ranges that sample images gave."""
        return self.quantization in ("int8", "mixed")

    @property
    def verdict(self) -> Verdict | None:
        """What its verification came to; None if it was not verified."""
        return self.verified.verdict if self.verified else None

    @property
    def accuracy(self) -> float | None:
        """What its verification measured; None if it did not."""
        return self.verified.accuracy if self.verified else None

    @property
    def measured_on(self) -> MeasuredOn | None:
        """The machine that verified it; None if that is not recorded."""
        return self.verified.measured_on if self.verified else None


@dataclass(frozen=True)
class Derived:
    """A file that holds an artifact in a form for compilers, which no runtime runs. made_from: the artifact's path."""

    path: FileName
    format: str
    quantization: str
    sha256: str
    size_bytes: int
    made_from: FileName


# What names a file of a manifest, with its digest.
Entry = Artifact | Derived | ListedFile


@dataclass(frozen=True)
class Manifest:
    """The manifest of one exported model. ``folder`` is where it was read from and is not written.

    convention: of the reference and of every artifact; pixels from 0 to 1 if an older manifest does not say.
    novelty: what tells that an image is of none of the classes; None if too few images say it, and in older manifests.
    """

    folder: Path
    model: FileName
    data: TrainingData
    recipe: RecordedRecipe | None
    source: Origin
    reference: ListedFile
    golden: CountedFile
    calibration: CalibrationRows
    versions: dict[str, str]
    created: str
    artifacts: tuple[Artifact, ...]
    derived: tuple[Derived, ...] = ()
    convention: Convention = field(default=Convention(), metadata=documents.LATER)
    novelty: NoveltyFile | None = field(default=None, metadata=documents.LATER)

    @property
    def title(self) -> str:
        """What it is called on a page. What a model has learned from is known only of one that was trained here."""
        return f"{self.model}, {'trained on' if self.source.run else 'exported with'} {self.data.name}"

    @property
    def noun(self) -> str:
        """What a row of its data is called in a sentence."""
        return "row" if self.convention.layout == Layout.VALUES else "image"

    @property
    def reference_path(self) -> Path:
        """The Keras original."""
        return self.folder / self.reference.path

    @property
    def golden_path(self) -> Path:
        """The recorded inputs and outputs."""
        return self.folder / self.golden.path

    @property
    def names(self) -> set[str]:
        """The names of all files that it speaks of."""
        entries: list[Entry | None] = [
            *self.artifacts,
            *self.derived,
            self.reference,
            self.golden,
            self.data.rows,
            self.novelty,
        ]
        return {entry.path for entry in entries if entry}

    def with_verified(self, results: Mapping[str, Verification]) -> "Manifest":
        """Return the manifest with the verify results of the artifacts named in ``results``."""
        artifacts = (replace(a, verified=results.get(a.path, a.verified)) for a in self.artifacts)
        return replace(self, artifacts=tuple(artifacts))

    def check_digest(self, entry: Entry) -> str | None:
        """Return what is wrong with the file of an entry, or None if it is the file that was exported."""
        path = self.folder / entry.path
        if not path.is_file():
            return f"{path}: named in {self.folder / MANIFEST} but missing; export the model again"
        if sha256(path) != entry.sha256:
            return f"{path}: changed since it was exported (its SHA-256 is not the manifest's); export the model again"
        return None

    def require(self, *entries: Entry) -> None:
        """Raise ArtifactError unless the files of the entries are the exported ones."""
        for entry in entries:
            if problem := self.check_digest(entry):
                raise ArtifactError(problem)

    def write(self) -> Path:
        """Write the manifest into its folder and return its path."""
        document = documents.to_tree(self)
        del document["folder"]
        path = self.folder / MANIFEST
        write_json(path, {"schema": SCHEMA, **document})
        return path


def read(folder: Path) -> Manifest:
    """Read the manifest of ``folder``; ArtifactError if there is none or it cannot be understood.

    Digests are compared with the files by ``check_digest`` and ``require``, so that a command can report one changed
    file and go on with the others. A name that leads elsewhere, as a path or as a symbolic link, is refused here.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise ArtifactError(f"{folder}: no {MANIFEST} there; 'toolkit export' writes one")
    require_no_link(path)
    document = documents.load(path, what=_WHAT)
    if document.get("schema") != SCHEMA:
        raise ArtifactError(f"{path}: has schema {document.get('schema')}, this toolkit reads {SCHEMA}; export again")
    del document["schema"]
    manifest = documents.convert({**document, "folder": str(folder)}, Manifest, path, what=_WHAT)
    for name in manifest.names:
        _check_place(folder / name, path)
    return manifest


def _check_place(file: Path, path: Path) -> None:
    """Raise ArtifactError for a name of the manifest ``path`` that leads elsewhere, or to what is no file."""
    try:
        kind = file.lstat().st_mode
    except FileNotFoundError:
        return  # said of each file where it is needed
    if stat.S_ISLNK(kind):
        raise ArtifactError(f"{path}: names '{file.name}', which is a symbolic link; put the file itself there")
    if not stat.S_ISREG(kind):
        raise ArtifactError(f"{path}: names '{file.name}', which is no file")


def below(path: Path) -> list[Path]:
    """Return the folder itself if it has a manifest, else its subfolders that have one."""
    if (path / MANIFEST).is_file():
        return [path]
    return sorted(file.parent for file in path.glob(f"*/{MANIFEST}"))


def folders(path: Path) -> list[Path]:
    """Return what ``below`` does; ArtifactError if that is nothing."""
    if listed := below(path):
        return listed
    raise ArtifactError(f"{path}: no {MANIFEST} there or in its subfolders; 'toolkit export' writes one")


def listing(file: Path) -> Manifest | None:
    """Return the manifest that lists ``file``, as an artifact or as the reference; None if none does.

    Raises ArtifactError if the file is not the one that was exported.
    """
    if not (file.parent / MANIFEST).is_file():
        return None
    manifest = read(file.parent)
    entries: list[Entry] = [a for a in manifest.artifacts if a.path == file.name]
    if manifest.reference.path == file.name:
        entries.append(manifest.reference)
    manifest.require(*entries)
    return manifest if entries else None
