"""Export one model: convert in a scratch folder, try every artifact, then put all files in their place."""

import io
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import data, extras, golden, locks, overlap, runtimes
from toolkit.data.base import Dataset, Split
from toolkit.entries import CalibrationEntry, CountedEntry, DataEntry
from toolkit.errors import ArtifactError, ExportFailedError
from toolkit.export import calibration
from toolkit.export.calibration import Calibration
from toolkit.export.conversion import Converted, convert_all
from toolkit.export.formats import plan, suffixes
from toolkit.export.formats.base import Request
from toolkit.export.prepare import prepare
from toolkit.export.sources import Source
from toolkit.files import FileName, naming, sha256, write_bytes
from toolkit.golden import GOLDEN, Golden
from toolkit.manifest import MANIFEST, Artifact, Derived, Manifest, read
from toolkit.overlap import Overlap
from toolkit.parity import card, checks
from toolkit.runtimes.keras import load_model
from toolkit.step import OnStep, ignore

LOG = "export.log"
_ALLOWED = "allowed: one input, an image, and one output, a probability for each of at least two classes"
SCRATCH = ".export-"
ROWS = "learned.npy"
# Images of a golden: a classifier that errs on 1 % of them shows it with a probability above 99 %.
GOLDEN_IMAGES = 500
# Distributions whose versions decide what an export writes.
TOOLS = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "numpy")


@dataclass(frozen=True)
class ExportOptions:
    """How to export. pairs: (format, quantization), from ``formats.plan``; the rest as in ``calibration.choose``."""

    pairs: Sequence[tuple[str, str]]
    calibration_count: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Exported:
    """What an export came to; as a path, its folder.

    made: artifacts and what was made from them. failures: why a file could not be made, by its name. unlisted: files
    that no longer belong to the manifest.
    """

    manifest: Manifest
    made: tuple[Artifact | Derived, ...]
    failures: dict[str, str]
    unlisted: tuple[Path, ...]
    log: Path

    def __fspath__(self) -> str:
        return str(self.manifest.folder)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit export --json``."""
        return document([self])


def document(exports: Sequence[Exported]) -> dict[str, Any]:
    """Return the JSON document of several. ``manifest`` is the first of ``manifests``."""
    manifests = [str(part.manifest.folder / MANIFEST) for part in exports]
    return {
        "schema": 1,
        "command": "export",
        "manifest": manifests[0],
        "manifests": manifests,
        "artifacts": [
            {
                "path": str(part.manifest.folder / file.path),
                "format": file.format,
                "quantization": file.quantization,
                "sha256": file.sha256,
                "size_bytes": file.size_bytes,
            }
            for part in exports
            for file in part.made
        ],
        "overlap": [one for part in exports for one in part.manifest.data["overlap"]],
        "failures": {name: why for part in exports for name, why in part.failures.items()},
    }


def export(
    source: Source,
    dataset: Dataset,
    folder: Path,
    options: ExportOptions,
    *,
    warn: Callable[[str], None],
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
) -> Exported:
    """Write the artifacts of ``source`` into ``folder``, with golden, Keras original, charts and manifest.

    Nothing in ``folder`` changes before every conversion was tried. A conversion that fails is reported in ``failures``
    and leaves the other artifacts, and an older file of its name, as they are; converters print into ``folder/LOG``.
    Artifacts of the same source and calibration that were exported before stay listed. Raises ExportFailedError where
    no conversion succeeds, DataError where training, validation and test images overlap, unless that is allowed,
    BusyError where another process writes there.
    """
    # Converters write whole models into temporary folders.
    with locks.alone(folder, "export", otherwise="choose another --output"), locks.own_temporaries():
        return _export(source, dataset, folder, options, warn, allow_overlap, on_step)


def _export(
    source: Source,
    dataset: Dataset,
    folder: Path,
    options: ExportOptions,
    warn: Callable[[str], None],
    allow_overlap: bool,
    on_step: OnStep,
) -> Exported:
    source.check_data(dataset)
    parts = source.parts(dataset)
    shared = parts.shared_images()
    overlap.refuse(shared, what=f"'{dataset.name}' ({dataset.origin})", allowed=allow_overlap)
    model = load_model(source.keras_path)
    _check_model(model, source, dataset)
    chosen = calibration.choose(parts.learned, count=options.calibration_count, seed=options.seed)
    golden_rows = _golden_rows(dataset, warn=warn)
    for leftover in folder.glob(f"{SCRATCH}*"):  # of an export that was killed: nobody else is at work here
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
        work = Path(scratch)
        reference = work / f"{source.name}.keras"
        with extras.streams_to(folder / LOG), naming(folder / reference.name):
            # Saved again it would have other bytes: into its own folder, a kill before the new manifest is there would
            # leave an original that the old one does not know.
            if source.is_original:
                shutil.copyfile(source.keras_path, reference)
            else:
                model.save(reference)
            prepared = prepare(model, work)
        outputs = runtimes.open_session(reference, threads=0).predict(golden_rows.images)
        checks.require_finite(outputs, path=source.keras_path)
        scaled = chosen.scaled
        converted = convert_all(
            prepared,
            options.pairs,
            lambda quantization: Request(quantization, scaled),
            name=source.name,
            golden_rows=golden_rows,
            log=folder / LOG,
            on_step=on_step,
        )
        if not converted.made:
            reasons = "; ".join(f"{name}: {why}" for name, why in converted.failures.items())
            raise ExportFailedError(f"{reasons}; nothing was exported (log: {folder / LOG})")
        record = Golden(golden_rows.images, golden_rows.labels, outputs, converted.recorded)
        manifest = _install(source, dataset, folder, work, converted, record, chosen, shared)
    return Exported(manifest, converted.files, converted.failures, _unlisted(manifest), folder / LOG)


def _unlisted(manifest: Manifest) -> tuple[Path, ...]:
    """Return the model files of a folder that no longer belong to its manifest."""
    listed = {manifest.reference["path"], *(a.path for a in manifest.artifacts), *(d.path for d in manifest.derived)}
    written = {*runtimes.suffixes(), *suffixes()}
    files = [path for path in sorted(manifest.folder.iterdir()) if path.suffix in written]
    return tuple(path for path in files if path.name not in listed)


def _check_model(model: Any, source: Source, dataset: Dataset) -> None:
    """Raise ArtifactError where the model is not one for the images and classes of the data."""
    for what, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
        if len(tensors) != 1:
            raise ArtifactError(f"{source.keras_path}: has {len(tensors)} {what}; {_ALLOWED}")
    answer = tuple(model.output_shape[1:])
    if len(answer) != 1 or answer[0] == 1:
        raise ArtifactError(
            f"{source.keras_path}: answers an image with {'one number' if answer == (1,) else f'numbers {answer}'}; "
            f"{_ALLOWED}{'; make it one with a softmax of two' if answer == (1,) else ''}"
        )
    if tuple(model.input_shape[1:]) != dataset.input_shape or model.output_shape[-1] != dataset.classes:
        raise ArtifactError(
            f"{source.keras_path}: takes images {tuple(model.input_shape[1:])} of {model.output_shape[-1]} classes, "
            f"'{dataset.name}' has {dataset.input_shape} of {dataset.classes}; give the data it was made for by --data"
        )


def _golden_rows(dataset: Dataset, *, warn: Callable[[str], None]) -> Split:
    """Return the images of the golden: test images, but for MNIST those of the sample, which may be passed on freely.

    All digits of the sample are MNIST training images: good for comparing outputs, never for measuring accuracy.
    """
    shareable = data.load(data.FALLBACK, warn=warn) if dataset.name == data.PREFERRED else dataset
    return shareable.test.rows(slice(0, GOLDEN_IMAGES))


def _install(
    source: Source,
    dataset: Dataset,
    folder: Path,
    work: Path,
    converted: Converted,
    record: Golden,
    chosen: Calibration,
    shared: tuple[Overlap, ...],
) -> Manifest:
    """Complete the files in ``work``, then rename them into ``folder``, the manifest last.

    Renaming takes no space on the disk, so what can fail has failed before the first old file is replaced.
    """
    reference = work / f"{source.name}.keras"
    data_document: DataEntry = {
        "name": dataset.name,
        "classes": list(dataset.class_names),
        "digests": dataset.digests,
        "overlap": [one.to_json() for one in shared],
        "rows": _write_rows(dataset, work),
    }
    if dataset.reading.asked:
        data_document["reading"] = dataset.reading.to_json()
    source_document = source.origin
    calibration_document: CalibrationEntry = {"data": dataset.name, **chosen.to_json()}
    before = _earlier(folder, source_document["sha256"], dataset.digests, calibration_document)
    names = {artifact.path for artifact in converted.made}
    earlier = tuple(a for a in before.artifacts if a.path not in names) if before else ()
    derived = _still_derived(before, converted) if before else ()
    if before is not None:
        known = golden.read(before.golden_path).recorded
        recorded = {a.path: known[a.path] for a in earlier} | record.recorded
        record = replace(record, recorded=recorded)
        shutil.copyfile(before.reference_path, reference)
    record.write(work / GOLDEN)
    for chart in source.charts:
        shutil.copyfile(chart, work / chart.name)
    order = plan([], [])
    manifest = Manifest(
        folder=work,
        model=source.name,
        data=data_document,
        recipe=source.recipe,
        source=source_document,
        reference={"path": FileName(reference.name), "sha256": sha256(reference)},
        golden={"path": FileName(GOLDEN), "sha256": sha256(work / GOLDEN), "n": len(record.labels)},
        calibration=calibration_document,
        versions={tool: version(tool) for tool in TOOLS},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        artifacts=tuple(sorted((*earlier, *converted.made), key=lambda a: order.index((a.format, a.quantization)))),
        derived=(*derived, *converted.derived),
    )
    manifest.write()
    card.write(manifest)
    others = [chart.name for chart in source.charts] + ([ROWS] if data_document["rows"] else [])
    names |= {entry.path for entry in converted.derived}
    for name in (*sorted(names), reference.name, GOLDEN, *others, card.CARD, MANIFEST):
        (work / name).replace(folder / name)
    return replace(manifest, folder=folder)


def _write_rows(dataset: Dataset, work: Path) -> CountedEntry | None:
    """Keep the digests of the training and validation images, so that a later test set can be held against them.

    Published data, which can be had anywhere, need none.
    """
    if getattr(data.sources().get(dataset.name), "DIGESTS", None):
        return None
    content = io.BytesIO()  # of a full disk np.save says how many bytes it wrote, and no name
    np.save(content, dataset.learned_digests)
    write_bytes(work / ROWS, content.getvalue())
    return {"path": FileName(ROWS), "sha256": sha256(work / ROWS), "n": len(dataset.learned_digests)}


def _still_derived(before: Manifest, converted: Converted) -> tuple[Derived, ...]:
    """Return the derived files of an earlier export whose artifacts are what they were."""
    now = {artifact.path: artifact.sha256 for artifact in (*before.artifacts, *converted.made)}
    then = {artifact.path: artifact.sha256 for artifact in before.artifacts}
    replaced = {entry.path for entry in converted.derived}
    kept = (entry for entry in before.derived if entry.path not in replaced)
    return tuple(entry for entry in kept if now[entry.made_from] == then[entry.made_from])


def _earlier(
    folder: Path, source_sha256: str, digests: dict[str, str], calibration_document: CalibrationEntry
) -> Manifest | None:
    """Return the manifest that is there, if what it lists was made from the same and its files are whole."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = read(folder)
        manifest.require(manifest.reference, manifest.golden)
    except ArtifactError:
        return None
    made_from = manifest.source["sha256"], manifest.data["digests"], manifest.calibration
    return manifest if made_from == (source_sha256, digests, calibration_document) else None
