"""Make a bundle: the artifact, its golden and manifest, a wheel of toolkit, ``classify.py``, and their digests."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolkit import archive, golden, locks, registry, runtimes
from toolkit.bundle import classify
from toolkit.bundle.choose import NAMED, Winner
from toolkit.convention import Layout
from toolkit.errors import ArtifactError
from toolkit.files import sha256, sums
from toolkit.manifest import Artifact, Manifest
from toolkit.wheels.own import build_wheel

SCRIPT = "classify.py"
SUFFIX = ".zip"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was made. name: of the folder that it unpacks to. digests: SHA-256 by file name.

    why: its artifact was chosen. record: the benchmark that recommends it, None if the user named it. winner: the
    setting of the runtime that ``classify.py`` takes; None for the usual ones.
    """

    path: Path
    name: str
    runtime: str
    artifact: Artifact
    digests: dict[str, str]
    why: str
    record: str | None
    winner: Winner | None

    @property
    def needs(self) -> tuple[str, ...]:
        """The packages that it takes to classify on the device."""
        return ("numpy", *runtimes.get(self.runtime).DISTRIBUTIONS)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit bundle --json``."""
        return {
            "schema": 1,
            "command": "bundle",
            "bundle": str(self.path),
            "sha256": sha256(self.path),
            "size_bytes": self.path.stat().st_size,
            "folder": self.name,
            "runtime": self.runtime,
            "files": self.digests,
            "artifact": self.artifact.path,
            "why": self.why,
            "record": self.record,
            "setting": self.winner.setting if self.winner else None,
            "tuned_in": self.winner.record if self.winner else None,
        }


def make(
    manifest: Manifest,
    artifact: Artifact,
    path: Path | None = None,
    *,
    why: str = NAMED,
    record: str | None = None,
    winner: Winner | None = None,
) -> Bundle:
    """Write the bundle of one artifact, to ``MODEL-QUANTIZATION-FORMAT.zip`` in this folder unless told otherwise.

    The same artifact, golden and toolkit give the same bytes. The golden is the folder's own, whole: its digest is the
    one that the export wrote. ArtifactError if a file is not the exported one, the golden lacks the artifact, or no
    program classifies with its runtime; UsageError if ``path`` is there and no plain file.
    """
    files = [entry for entry in (artifact, manifest.golden, manifest.novelty) if entry]
    manifest.require(*files)
    if artifact.path not in golden.read(manifest.golden_path).recorded:
        raise ArtifactError(f"{manifest.golden_path}: has no recorded outputs of {artifact.path}; export it again")
    runtime = runtimes.for_file(manifest.folder / artifact.path)
    if runtime not in (allowed := registry.names(classify.__name__)):
        raise ArtifactError(
            f"{manifest.folder / artifact.path}: runs on '{runtime}', for which there is no {SCRIPT}; allowed: "
            f"artifacts that run on {', '.join(allowed)}"
        )
    name = f"{manifest.model}-{artifact.quantization}-{artifact.format}"
    path = Path(f"{name}{SUFFIX}") if path is None else path
    rows = manifest.data.reading.files if manifest.convention.layout == Layout.VALUES else None
    with locks.scratch() as work:
        for entry in files:
            shutil.copyfile(manifest.folder / entry.path, work / entry.path)
            if sha256(work / entry.path) != entry.sha256:
                raise ArtifactError(
                    f"{manifest.folder / entry.path}: was replaced while it was bundled; bundle it again"
                )
        replace(manifest, folder=work, artifacts=(artifact,), derived=()).write()
        (work / SCRIPT).write_text(classify.script(runtime, rows, winner.setting if winner else None), encoding="utf-8")
        build_wheel(work)
        digests = {file.name: sha256(file) for file in sorted(work.iterdir())}
        sums.write(work, digests)
        archive.pack(path, {f"{name}/{file.name}": file.read_bytes() for file in work.iterdir()})
    return Bundle(path, name, runtime, artifact, digests, why, record, winner)
