"""Plant every fault, let the gate judge, and say which check caught it; then judge faultless exports."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras, golden, locks, runtimes, units
from toolkit.convention import Layout
from toolkit.data.base import Dataset, Split
from toolkit.entries import Origin
from toolkit.errors import ArtifactError, UsageError
from toolkit.export import calibration, conversion, exporter, formats, tasks
from toolkit.export.formats.base import Prepared, Request
from toolkit.export.prepare import prepare
from toolkit.export.sources import parts_of
from toolkit.export.tasks import ConversionInput
from toolkit.files import FileName, documents, sha256, write_json
from toolkit.files.damage import decoding
from toolkit.manifest import Artifact, Manifest
from toolkit.parity import leaks
from toolkit.parity.compare import Comparison
from toolkit.parity.verify import VerifyOptions, by_golden, on_test_set
from toolkit.runs import BEST, CONFIG, RUNS
from toolkit.selftest import files, models
from toolkit.step import OnStep, Step, ignore
from toolkit.verdict import Verdict
from toolkit.worker.keras import load_model
from toolkit.worker.session import contained

# What faults are planted into: the strictest and the loosest rule of the gate, in both formats.
PAIRS = (("tflite", "float32"), ("tflite", "int8"), ("onnx", "float32"), ("onnx", "int8"))
# Share of faultless exports that may be called a failure.
MOST_FALSE_ALARMS = 0.05
# Each takes seconds.
MOST_REEXPORTS = 1000
NOTHING, CONSTANT, STALE = "no fault", "calibration on constant images", "a stale artifact"
ACCURACY = "accuracy"
GREY = 128


@dataclass(frozen=True)
class FaultOutcome:
    """One artifact with one fault: the checks that failed it on the test set and by golden, if that was asked."""

    fault: str
    artifact: str
    test_set: tuple[str, ...]
    golden: tuple[str, ...] | None

    @property
    def right(self) -> bool:
        """Whether the gate is right: it says no to a fault, and yes to none."""
        caught = bool(self.test_set or self.golden)
        return not caught if self.fault == NOTHING else caught


@dataclass(frozen=True)
class SelfTested:
    """What the gate made of the faults of one model, and of exports without a fault."""

    manifest: Manifest
    images: int
    outcomes: tuple[FaultOutcome, ...]
    reexports: int
    false_alarms: int

    @property
    def passed(self) -> bool:
        """Whether no fault slipped through and at most 5 % of the faultless exports were called a failure."""
        quiet = self.false_alarms <= MOST_FALSE_ALARMS * self.reexports
        return quiet and all(outcome.right for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Return what ``toolkit selftest --json`` has of one model."""
        return {
            "manifest": str(self.manifest.folder),
            "n": self.images,
            "outcomes": [{**asdict(outcome), "right": outcome.right} for outcome in self.outcomes],
            "reexports": self.reexports,
            "false_alarms": self.false_alarms,
            "verdict": Verdict.from_passed(self.passed),
        }


@dataclass(frozen=True)
class SelfTests:
    """What the gate made of the faults of several models. True if it was right about all."""

    parts: tuple[SelfTested, ...]

    @property
    def verdict(self) -> Verdict:
        """FAIL where the gate is wrong about one model."""
        return Verdict.from_passed(bool(self))

    def __bool__(self) -> bool:
        return all(part.passed for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit selftest --json``."""
        return {
            "schema": 1,
            "command": "selftest",
            "results": [part.to_json() for part in self.parts],
            "verdict": self.verdict,
        }


def self_test(
    manifest: Manifest,
    dataset: Dataset,
    *,
    options: VerifyOptions,
    reexports: int,
    warn: Callable[[str], None],
    on_step: OnStep = ignore,
) -> SelfTested:
    """Plant every fault into copies of the artifacts of a manifest, and judge them and ``reexports`` faultless ones.

    The files of the manifest are not touched. Raises DataError if the model has learned from test images, unless the
    options allow it.
    """
    if manifest.convention.layout == Layout.VALUES:
        raise UsageError(f"{manifest.folder}: takes rows of values; the faults that are planted are those of images")
    units.require_from("the number of exports", reexports, 0, MOST_REEXPORTS)
    leaks.check_test_set(manifest, dataset, allowed=options.allow_overlap, warn=warn)
    with locks.scratch() as work, contained() as workers:
        bench = _Bench(manifest, dataset, work, replace(options, open_session=workers.open_session))
        total = bench.planned + reexports
        outcomes: list[FaultOutcome] = []
        for outcome in itertools.chain(bench.edited(), bench.exported()):
            outcomes.append(outcome)
            on_step(Step(len(outcomes), total, f"{outcome.artifact}: {outcome.fault}", outcome))
        alarms = 0
        for seed in range(1, reexports + 1):
            alarms += bench.false_alarm(seed)
            on_step(Step(len(outcomes) + seed, total, f"export {seed} of {reexports} without a fault"))
    return SelfTested(manifest, len(dataset.test), tuple(outcomes), reexports, alarms)


class _Bench:
    """A copy of a manifest's folder to do damage in."""

    def __init__(self, manifest: Manifest, dataset: Dataset, scratch: Path, options: VerifyOptions) -> None:
        manifest.require(*manifest.artifacts, manifest.reference, manifest.golden)
        for file in (manifest.reference_path, manifest.golden_path):
            shutil.copyfile(file, scratch / file.name)
        self._found = manifest
        self._copy = replace(manifest, folder=scratch)
        self._dataset = dataset
        self._options = replace(options, runs=scratch / RUNS, allow_overlap=True)  # what was refused is over by now
        self._log = scratch / exporter.LOG
        record = golden.read(manifest.golden_path)
        self._golden = Split(record.images, record.labels)
        self._wanted = [a for a in manifest.artifacts if (a.format, a.quantization) in PAIRS]
        for artifact in self._wanted:  # one that crashes already is named before a fault is planted
            session = options.open_session(manifest.folder / artifact.path)
            session.convention = manifest.convention
            session.predict(record.images[:1])
        self._model = load_model(manifest.reference_path)
        self._planted = models.faults(self._model, manifest.convention)
        self._training = parts_of(manifest.recipe, dataset).learned.rows(slice(None))
        self._try_out(scratch / "tried")

    def _try_out(self, work: Path) -> None:
        """Have the original converted in a worker first: it may be anybody's, and is converted here many times."""
        work.mkdir()
        convention, reference = self._found.convention, runtimes.open_session(self._copy.reference_path, threads=0)
        values = convention.values(self._calibration(0).images)
        given = ConversionInput(self._model, reference, values, self._golden.images, convention)
        conversion.try_out(self._found.reference_path, given, PAIRS, work=work, log=self._log)

    @property
    def planned(self) -> int:
        """How many outcomes ``edited`` and ``exported`` yield; two of each artifact are: no fault, and a stale file."""
        edited = sum(len(files.faults(artifact)) + 2 for artifact in self._wanted)
        constant = sum(quantization == "int8" for _, quantization in PAIRS)
        return edited + len(self._planted) * len(PAIRS) + constant

    def edited(self) -> Iterator[FaultOutcome]:
        """Yield the outcomes of faults that are edited into the exported files, and of copies without one."""
        for artifact in self._wanted:
            yield self._edited(NOTHING, artifact, lambda path: None)
            for name, edit in files.faults(artifact).items():
                yield self._edited(name, artifact, edit)
            yield self._stale(artifact)

    def exported(self) -> Iterator[FaultOutcome]:
        """Yield the outcomes of exports of faulted models, of constant calibration, and of files put back."""
        for name, plant in self._planted.items():
            for artifact in self._export(plant(self._model, self._training), PAIRS, self._calibration(0)):
                yield FaultOutcome(name, artifact.path, self._on_test_set(artifact), None)
        first = self._calibration(0)
        chosen = replace(first, images=np.full_like(first.images, GREY))
        for artifact in self._export(self._model, [pair for pair in PAIRS if pair[1] == "int8"], chosen):
            calibrated = replace(self._copy, calibration=chosen.listed(self._dataset.name))
            yield FaultOutcome(CONSTANT, artifact.path, self._on_test_set(artifact, calibrated), None)

    def false_alarm(self, seed: int) -> bool:
        """Export without a fault, calibrated on other images, and say whether the gate calls it a failure.

        The formats take turns; golden knows the outputs of one export and has nothing to say about another.
        """
        pair = ("tflite" if seed % 2 else "onnx", "int8")
        return any(bool(self._on_test_set(a)) for a in self._export(self._model, [pair], self._calibration(seed)))

    def _calibration(self, seed: int) -> calibration.Calibration:
        return calibration.choose(self._training, count=None, seed=seed)

    def _export(self, model: Any, pairs: Any, chosen: calibration.Calibration) -> Iterator[Artifact]:
        with extras.streams_to(self._log):
            prepared: Prepared = prepare(model, self._copy.folder)
        (self._copy.folder / "float32.onnx").unlink(missing_ok=True)  # the last model's
        for format_name, quantization in pairs:
            module = formats.get(format_name)
            path = self._copy.folder / f"{self._found.model}-{quantization}{module.SUFFIX}"
            convention = self._found.convention
            request = Request(quantization, convention.values(chosen.images), convention)
            with extras.streams_to(self._log):
                artifact, _ = tasks.make(module, prepared, request, path, format_name, self._golden.images)
            yield artifact

    def _edited(self, fault: str, artifact: Artifact, edit: Callable[[Path], None]) -> FaultOutcome:
        original = self._found.folder / artifact.path
        path = Path(shutil.copyfile(original, self._copy.folder / artifact.path))
        with decoding(original, "a file that faults can be edited into", error=ArtifactError):
            edit(path)
        edited = replace(artifact, sha256=sha256(path))  # or the digest would catch them all
        by_file = by_golden(self._with(edited), [edited], self._options).comparisons[0]
        return FaultOutcome(fault, artifact.path, self._on_test_set(edited), _failed(by_file))

    def _stale(self, artifact: Artifact) -> FaultOutcome:
        """Judge an artifact whose run was trained on after it was exported."""
        source = Origin(FileName("again"), FileName(BEST), self._found.reference.sha256, metrics=None)
        folder = self._options.runs / "again"
        known = documents.to_tree(self._found)
        config = {"recipe": known["recipe"] or {}, "data": {**known["data"], "origin": ""}, "started": ""}
        write_json(folder / CONFIG, config)
        (folder / BEST).write_bytes(b"newer weights")
        shutil.copyfile(self._found.folder / artifact.path, self._copy.folder / artifact.path)
        return FaultOutcome(STALE, artifact.path, self._on_test_set(artifact, replace(self._copy, source=source)), None)

    def _on_test_set(self, artifact: Artifact, manifest: Manifest | None = None) -> tuple[str, ...]:
        listed = self._with(artifact, manifest)
        part = on_test_set(listed, [artifact], self._dataset, self._options, warn=lambda text: None)
        return _failed(part.comparisons[0])

    def _with(self, artifact: Artifact, manifest: Manifest | None = None) -> Manifest:
        return replace(manifest or self._copy, artifacts=(artifact,))


def _failed(comparison: Comparison) -> tuple[str, ...]:
    """Return the names of the checks that failed: accuracy beside the first of the others."""
    figures = comparison.figures
    accuracy = not comparison.by_golden and figures is not None and figures.bounds_pp[0] > comparison.margin_pp
    other = comparison.problem.check if comparison.problem else None
    return tuple(name for name, failed in ((ACCURACY, accuracy), (other, other)) if failed and name)
