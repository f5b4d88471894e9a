"""Export one model: convert in a scratch folder, try every artifact, then put all files in their place."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import data, extras, locks, runtimes
from toolkit.convention import OPTION, Convention, takes
from toolkit.data.base import Dataset, Split
from toolkit.data.base.parts import Parts
from toolkit.data.base.pixels import chunks
from toolkit.errors import ArtifactError, ExportFailedError, UsageError
from toolkit.export import calibration, novelty, saved_model
from toolkit.export.conversion import Converted, Converter, convert_all, converting
from toolkit.export.formats import suffixes
from toolkit.export.formats.base import MIXED
from toolkit.export.installation import Job, install, warn_of_replaced
from toolkit.export.mixture import Goal
from toolkit.export.prepare import TOLERANCE, fixed
from toolkit.export.sources import Source
from toolkit.export.tasks import ConversionInput
from toolkit.files import naming, naming_final
from toolkit.golden import MOST_ROWS, Golden
from toolkit.manifest import MANIFEST, Artifact, Derived, Manifest
from toolkit.parity import checks, inputs
from toolkit.runs import SCRATCH
from toolkit.runtimes.base import PREDICT_BATCH, Session
from toolkit.runtimes.keras.fake_quantization import bounds_of
from toolkit.step import OnStep, ignore
from toolkit.worker.keras import TryOut, load_model

LOG = "export.log"
_ALLOWED = "allowed: one input, and one output, a number for each class or one for two classes"
# Of large images a golden has fewer: a device keeps them, and they travel in every bundle.
GOLDEN_BYTES = 16 * 2**20
# Training rows that a goal is measured on where there are no validation rows.
GOAL_ROWS = 5_000


@dataclass(frozen=True)
class ExportOptions:
    """How to export. pairs: (format, quantization), from ``formats.plan``; count and seed as in ``calibration.choose``.

    convention: what the model takes; None if it is to be found out.
    input_shape: (H, W, C) of one image, if the model takes any size; None stands for that of the data.
    least_accuracy, most_bytes: of MIXED artifacts, as in a ``Goal``.
    """

    pairs: Sequence[tuple[str, str]]
    calibration_count: int | None = None
    seed: int = 0
    convention: Convention | None = None
    input_shape: tuple[int, int, int] | None = None
    least_accuracy: float | None = None
    most_bytes: float | None = None

    def goal(self, parts: Parts) -> Goal | None:
        """Return what MIXED artifacts must reach, on validation rows if there are any; None if none is to be made."""
        if all(quantization != MIXED for _, quantization in self.pairs):
            return None
        limits = self.least_accuracy, self.most_bytes
        if len(numbers := parts.validation_rows):
            return Goal(parts.held_out.rows(numbers), "validation rows", *limits)
        numbers = np.random.default_rng(0).permutation(len(parts.learned))[:GOAL_ROWS]
        return Goal(parts.learned.rows(np.sort(numbers)), "training rows", *limits)


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
        return Exports((self,)).to_json()


@dataclass(frozen=True)
class Exports:
    """What several exports came to."""

    parts: tuple[Exported, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit export --json``. ``manifest`` is the first of ``manifests``."""
        manifests = [str(part.manifest.folder / MANIFEST) for part in self.parts]
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
                for part in self.parts
                for file in part.made
            ],
            "overlap": [one.to_json() for part in self.parts for one in part.manifest.data.overlap],
            "failures": {name: why for part in self.parts for name, why in part.failures.items()},
        }


def export(
    source: Source,
    dataset: Dataset,
    folder: Path,
    options: ExportOptions,
    *,
    warn: Callable[[str], None],
    converter: Converter | None = None,
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
) -> Exported:
    """Write the artifacts of ``source`` into ``folder``, with golden, Keras original, charts and manifest.

    Nothing in ``folder`` changes before every conversion was tried. A conversion that fails is reported in ``failures``
    and leaves the other artifacts, and an older file of its name, as they are; converters print into ``folder/LOG``.
    Artifacts of the same source and calibration that were exported before stay listed. Raises ExportFailedError if
    no conversion succeeds, UsageError if the model clearly takes its pixels in another range, DataError if
    training, validation and test images overlap, unless that is allowed, BusyError if another process writes there.
    converter: that of the source, where the caller has asked it for something already.
    """
    # Converters write whole models into temporary folders.
    with (
        locks.alone(folder, "export", otherwise="choose another --output"),
        locks.own_temporaries(),
        nullcontext(converter) if converter else converting(source.keras_path) as converter,
    ):
        job, model = _begin(source, dataset, options, converter.try_out, warn=warn, allow_overlap=allow_overlap)
        warn_of_replaced(folder, dataset, warn)
        for leftover in folder.glob(f"{SCRATCH}*"):  # of an export that was killed: nobody else is at work here
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch, naming_final(Path(scratch), folder):
            work, log = Path(scratch), folder / LOG
            job, reference, outputs = _ask_reference(job, model, options.convention, work=work, log=log, warn=warn)
            given = ConversionInput(
                model,
                reference,
                job.convention.values(job.calibration.images),
                job.golden_rows.images,
                job.convention,
                options.goal(source.parts(dataset)),
            )
            converted = _convert(job, given, converter, options.pairs, work=work, log=log, on_step=on_step)
            record = Golden(job.golden_rows.images, job.golden_rows.labels, outputs, converted.recorded)
            unlike = novelty.write(reference, job.convention, source.parts(dataset), work)
            manifest = install(job, converted, record, unlike, work=work, folder=folder)
    return Exported(manifest, converted.files, converted.failures, _unlisted(manifest), log)


def _begin(
    source: Source,
    dataset: Dataset,
    options: ExportOptions,
    try_out: TryOut | None,
    *,
    warn: Callable[[str], None],
    allow_overlap: bool,
) -> tuple[Job, Any]:
    """Return what is to be done, and the Keras model, once model and data are known to fit each other."""
    source.check_data(dataset)
    parts = source.parts(dataset)
    shared = parts.shared_images(allowed=allow_overlap)
    size = options.input_shape or dataset.input_shape
    loaded = load_model(source.keras_path, (min(PREDICT_BATCH, len(dataset.train)), *size), try_out=try_out)
    model = fixed(loaded, source.keras_path, input_shape=size, warn=warn)
    _check_model(model, source, dataset)
    chosen = calibration.choose(parts.learned, count=options.calibration_count, seed=options.seed)
    if bounds_of(model):
        if options.calibration_count is not None:
            raise UsageError(
                f"{source.keras_path}: brings the ranges that it was trained with; leave --calibration out"
            )
        chosen = replace(chosen, is_trained=True)
    return Job(source, dataset, shared, chosen, _golden_rows(dataset, warn=warn)), model


def _ask_reference(
    job: Job, model: Any, given: Convention | None, *, work: Path, log: Path, warn: Callable[[str], None]
) -> tuple[Job, Session, NDArray[np.float32]]:
    """Save the Keras original in ``work``, open it, and return what it answers for the images of the golden.

    The job is returned with what input and output mean: what is given, else what the source or the model itself says,
    tried on training images.
    """
    source, reference = job.source, job.reference(work)
    with extras.streams_to(log), naming(log.with_name(reference.name)):
        # Saved again it would have other bytes: into its own folder, a kill before the new manifest is there would
        # leave an original that the old one does not know.
        if source.is_original:
            shutil.copyfile(source.keras_path, reference)
        else:
            model.save(reference)
    session = runtimes.open_session(reference, threads=0)
    own = session.convention
    if given is not None and not job.dataset.is_pixels:
        raise UsageError(
            f"{OPTION} says what pixels become; '{job.dataset.name}' has {job.dataset.rows_are}: leave it out"
        )
    said = replace(given or source.convention or own, layout=own.layout)
    session.convention = chosen = said.taking(job.golden_rows.images)
    outputs = session.predict(job.golden_rows.images)
    checks.require_finite(outputs, path=source.keras_path)
    convention = inputs.check(session, chosen, source.parts(job.dataset).learned, path=source.keras_path, warn=warn)
    return replace(job, convention=convention), session, convention.answers(outputs)


def _convert(
    job: Job,
    given: ConversionInput,
    converter: Converter,
    pairs: Sequence[tuple[str, str]],
    *,
    work: Path,
    log: Path,
    on_step: OnStep,
) -> Converted:
    """Make the files in ``work`` of what is proven to answer as the reference; ExportFailedError if none is made."""
    if job.source.saved_model is not None:
        outputs = np.concatenate([given.reference.run(rows) for rows in chunks(given.values, PREDICT_BATCH)])
        saved_model.prove(job.source.saved_model, outputs, given.values, tolerance=TOLERANCE)
    converter.ready(given, work=work, log=log)
    converted = convert_all(converter, pairs, name=job.source.name, work=work, log=log, on_step=on_step)
    if not converted.made:
        reasons = "; ".join(f"{name}: {why}" for name, why in converted.failures.items())
        raise ExportFailedError(f"{reasons}; nothing was exported (log: {log})")
    return converted


def _unlisted(manifest: Manifest) -> tuple[Path, ...]:
    """Return the model files of a folder that no longer belong to its manifest."""
    written = {*runtimes.suffixes(), *suffixes()}
    files = [path for path in sorted(manifest.folder.iterdir()) if path.suffix in written]
    return tuple(path for path in files if path.name not in manifest.names)


def _check_model(model: Any, source: Source, dataset: Dataset) -> None:
    """Raise ArtifactError if the model is not one for the images and classes of the data."""
    for what, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
        if len(tensors) != 1:
            raise ArtifactError(f"{source.keras_path}: has {len(tensors)} {what}; {_ALLOWED}")
    answer = tuple(model.output_shape[1:])
    if len(answer) != 1:
        raise ArtifactError(f"{source.keras_path}: answers a row with numbers {answer}; {_ALLOWED}")
    classes = max(answer[0], 2)  # one number tells two apart
    shape = dataset.input_shape
    if not takes(model.input_shape, dataset.train.images) or classes != dataset.classes:
        what = "images" if dataset.is_pixels else "rows"
        raise ArtifactError(
            f"{source.keras_path}: takes {what} {tuple(model.input_shape[1:])} of {classes} classes, "
            f"'{dataset.name}' has {shape} of {dataset.classes}; give the data it was made for by --data"
        )


def _golden_rows(dataset: Dataset, *, warn: Callable[[str], None]) -> Split:
    """Return the images of the golden: test images, but for MNIST those of the sample, which may be passed on freely.

    All digits of the sample are MNIST training images: good for comparing outputs, never for measuring accuracy. They
    are the first, or, where those lack a class, some from end to end.
    """
    shareable = data.load(data.FALLBACK, warn=warn) if dataset.name == data.PREFERRED else dataset
    test = shareable.test
    count = min(len(test), MOST_ROWS, max(1, GOLDEN_BYTES // test.images[:1].nbytes))
    if len(np.unique(test.labels[:count])) == len(np.unique(test.labels)):
        return test.rows(slice(0, count))
    return test.rows(np.linspace(0, len(test) - 1, count).astype(np.int64))
