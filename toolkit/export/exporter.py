"""Export one model: convert in a scratch folder, try every artifact, then put all files in their place."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from toolkit import data, extras, registry, runtimes
from toolkit.data.base import Dataset, Split
from toolkit.errors import ArtifactError
from toolkit.export import calibration
from toolkit.export.formats.base import Prepared, Request
from toolkit.export.prepare import prepare
from toolkit.export.sources import Source
from toolkit.files import atomic, sha256
from toolkit.golden import GOLDEN, Golden
from toolkit.manifest import MANIFEST, Artifact, Manifest, read
from toolkit.runtimes.keras import load_model

LOG = "export.log"
# Images of a golden: a classifier that errs on 1 % of them shows it with a probability above 99 %.
GOLDEN_IMAGES = 500
# Distributions whose versions decide what an export writes.
TOOLS = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "numpy")


@dataclass(frozen=True)
class Options:
    """How to export. pairs: (format, quantization), from ``formats.plan``."""

    pairs: Sequence[tuple[str, str]]
    calibration_count: int = calibration.DEFAULT_COUNT
    seed: int = 0
    onnx_activations: str = "uint8"


@dataclass(frozen=True)
class Exported:
    """What an export came to. failures: why, by file name. unlisted: files that no longer belong to the manifest."""

    manifest: Manifest
    made: tuple[Artifact, ...]
    failures: dict[str, str]
    unlisted: tuple[Path, ...]
    log: Path


def export(
    source: Source,
    dataset: Dataset,
    folder: Path,
    options: Options,
    *,
    warn: Callable[[str], None],
    on_artifact: Callable[[str, str | None], None] = lambda name, failure: None,
) -> Exported:
    """Write the artifacts of ``source`` into ``folder``, with golden, Keras original, charts and manifest.

    Nothing in ``folder`` changes before every conversion was tried. A conversion that fails is reported in ``failures``
    and leaves the other artifacts, and an older file of its name, as they are; converters print into ``folder/LOG``.
    Artifacts of the same source that were exported before stay listed.
    """
    source.check_data(dataset)
    model = load_model(source.keras_path)
    if tuple(model.input_shape[1:]) != dataset.input_shape:
        raise ArtifactError(
            f"{source.keras_path}: takes images {tuple(model.input_shape[1:])}, '{dataset.name}' has "
            f"{dataset.input_shape}; give the data it was made for by --data"
        )
    chosen = calibration.choose(source.training_rows(dataset), count=options.calibration_count, seed=options.seed)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", suffix=".partial", dir=folder) as scratch:
        work = Path(scratch)
        reference = work / f"{source.name}.keras"
        with extras.streams_to(folder / LOG):
            model.save(reference)
            prepared = prepare(model, work)
        golden_rows = _golden_rows(dataset, warn=warn)
        made: list[Artifact] = []
        failures: dict[str, str] = {}
        recorded = {}
        for format_name, quantization in options.pairs:
            module = registry.member("toolkit.export.formats", format_name, kind="format")
            name = f"{source.name}-{quantization}{module.SUFFIX}"
            request = Request(quantization, chosen.scaled, options.onnx_activations)
            try:
                with extras.streams_to(folder / LOG):
                    artifact, outputs = _make(module, prepared, request, work / name, format_name, golden_rows)
            except Exception as error:  # noqa: BLE001 — converters raise anything; one failure must not end the others
                failures[name] = " ".join(f"{type(error).__name__}: {error}".split())
                on_artifact(name, failures[name])
                continue
            made.append(artifact)
            recorded[name] = outputs
            on_artifact(name, None)
        reference_outputs = runtimes.open_session(reference, threads=0).predict(golden_rows.images)
        return _install(
            source,
            dataset,
            folder,
            work,
            made,
            failures,
            golden=Golden(golden_rows.images, golden_rows.labels, reference_outputs, recorded),
            calibration_document={"data": dataset.name, **chosen.to_json()},
        )


def _make(
    module: Any, prepared: Prepared, request: Request, path: Path, format_name: str, golden_rows: Split
) -> tuple[Artifact, Any]:
    """Convert, then load and run the artifact: one that does not run is not an artifact."""
    details = module.convert(prepared, request, path)
    session = runtimes.open_session(path, threads=0)
    outputs = session.predict(golden_rows.images)
    artifact = Artifact(
        path=path.name,
        format=format_name,
        quantization=request.quantization,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        inputs=(session.input,),
        outputs=(session.output,),
        details=details,
    )
    return artifact, outputs


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
    made: list[Artifact],
    failures: dict[str, str],
    *,
    golden: Golden,
    calibration_document: dict[str, Any],
) -> Exported:
    """Move the files from ``work`` into ``folder``, the manifest last."""
    source_document = source.to_json()
    reference = work / f"{source.name}.keras"
    kept = _same_source(folder, source_document)
    names = {artifact.path for artifact in made}
    earlier = tuple(a for a in kept.artifacts if a.path not in names) if kept else ()
    if kept is not None:
        golden = _with_earlier(golden, kept, earlier)
        shutil.copyfile(kept.reference_path, reference)
    golden.write(work / GOLDEN)
    for name in (*sorted(names), reference.name, GOLDEN):
        _place(work / name, folder / name)
    for chart in source.charts:
        _place(chart, folder / chart.name)
    manifest = Manifest(
        folder=folder,
        model=source.name,
        data={"name": dataset.name, "classes": list(dataset.class_names), "digests": dataset.digests},
        recipe=source.recipe,
        source=source_document,
        reference={"path": reference.name, "sha256": sha256(folder / reference.name)},
        golden={"path": GOLDEN, "sha256": sha256(folder / GOLDEN), "n": len(golden.labels)},
        calibration=calibration_document,
        versions={tool: version(tool) for tool in TOOLS},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        artifacts=tuple(sorted((*earlier, *made), key=_listing_order)),
    )
    manifest.write()
    listed = {artifact.path for artifact in manifest.artifacts}
    candidates = [path for path in sorted(folder.iterdir()) if path.suffix in runtimes.suffixes()]
    unlisted = tuple(path for path in candidates if path.name not in listed | {reference.name})
    return Exported(manifest, tuple(made), failures, unlisted, folder / LOG)


def _same_source(folder: Path, source_document: dict[str, Any]) -> Manifest | None:
    """Return the manifest that is there, if it is of the same Keras file and its files are whole."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = read(folder)
        manifest.require(manifest.reference, manifest.golden)
    except ArtifactError:
        return None
    return manifest if manifest.source["sha256"] == source_document["sha256"] else None


def _with_earlier(golden: Golden, kept: Manifest, earlier: tuple[Artifact, ...]) -> Golden:
    """Take over the recorded outputs of artifacts that an earlier export of the same source made."""
    from toolkit.golden import read as read_golden

    before = read_golden(kept.golden_path)
    recorded = {a.path: before.recorded[a.path] for a in earlier if a.path in before.recorded}
    return Golden(golden.images, golden.labels, golden.reference, {**recorded, **golden.recorded})


def _listing_order(artifact: Artifact) -> tuple[int, int]:
    from toolkit.export.formats import ORDER

    quantizations = ("float32", "float16", "dynamic", "int8")
    return ORDER.index(artifact.format), quantizations.index(artifact.quantization)


def _place(origin: Path, target: Path) -> None:
    """Copy a file to its place atomically."""
    with atomic(target) as temporary:
        shutil.copyfile(origin, temporary)
