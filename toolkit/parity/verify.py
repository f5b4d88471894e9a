"""Verify folders of artifacts: on a test set beside the Keras reference, or by golden if that is not possible."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from toolkit import data, extras, golden, runtimes, units
from toolkit import manifest as manifests
from toolkit.convention import image_shape
from toolkit.data.base import Dataset
from toolkit.errors import ArtifactError, DataError, DataUnavailableError, UsageError
from toolkit.files import sha256
from toolkit.manifest import MANIFEST, Artifact, Manifest
from toolkit.parity import leaks, reference
from toolkit.parity.checks import Problem, check_source
from toolkit.parity.compare import Comparison, compare
from toolkit.parity.material import Material, material
from toolkit.parity.result import Parity, Verified
from toolkit.parity.statistics import DEFAULT_MARGIN_PP, MARGINS_PP, near_chance
from toolkit.reading import Reading
from toolkit.runs import RUNS
from toolkit.runtimes import REFERENCE_RUNTIME, for_file, installed
from toolkit.runtimes.base import Opener
from toolkit.step import OnStep, Step, ignore
from toolkit.worker.keras import reading_for
from toolkit.worker.session import contained

# What shows parity on images that the model has learned from.
INSTEAD = "--golden to compare outputs alone, "
_NEAR_CHANCE = (
    "right on {right:,} of {images:,} images is no better than chance: was it made for these data, "
    "and for this order of their classes?"
)


class _Shared:
    """Loads data as ``data.load`` does; what one folder after the other asks for is read, and warned of, once."""

    def __init__(self) -> None:
        self._asked: tuple[str, Reading] | None = None
        self._dataset: Dataset | None = None

    def __call__(self, choice: str, *, warn: Callable[[str], None], reading: Reading) -> Dataset:
        """Return the data that were asked for."""
        if self._dataset is None or self._asked != (choice, reading):
            self._dataset = None  # before the next is read: memory may not hold both
            self._dataset = data.load(choice, warn=warn, reading=reading)
            self._asked = choice, reading
        return self._dataset


@dataclass(frozen=True)
class VerifyOptions:
    """How to verify. data: a choice of ``toolkit.data.load``, or None for the manifest's. runs: where trainings lie.

    open_session: what opens the reference and the artifacts, here or in a worker. load_data: what reads the data.
    reading: how they are read; None stands for how those of the manifest were. on_comparison: told of each artifact,
    after it.
    """

    data: str | None = None
    by_golden: bool = False
    margin_pp: float = DEFAULT_MARGIN_PP
    allow_overlap: bool = False
    runs: Path = RUNS
    open_session: Opener = runtimes.open_session
    load_data: Callable[..., Dataset] = field(default_factory=_Shared, compare=False)
    reading: Reading | None = None
    on_comparison: Callable[[Comparison], None] = lambda comparison: None

    def __post_init__(self) -> None:
        units.require_from("the margin, in percentage points,", self.margin_pp, *MARGINS_PP)
        if self.by_golden and self.names_data:
            raise UsageError(
                "golden.npz has its own images; leave out --golden, or --data and the options on reading it"
            )

    @property
    def names_data(self) -> bool:
        """Whether data are asked for, or a way to read them, which golden does without."""
        return self.data is not None or self.reading is not None


def select(paths: Sequence[Path]) -> list[tuple[Manifest, list[Artifact]]]:
    """Return the manifests, with the artifacts to verify, that files and folders stand for.

    A folder stands for its manifest or for those of its subfolders. ArtifactError if nothing is found.
    """
    chosen: dict[Path, tuple[Manifest, list[Artifact]]] = {}
    for path in paths:
        if not path.exists():
            raise ArtifactError(f"{path}: no such file or folder")
        folders = [path.parent] if path.is_file() else manifests.folders(path)
        for folder in folders:
            manifest, artifacts = chosen.setdefault(folder.resolve(), (manifests.read(folder), []))
            wanted = [a for a in manifest.artifacts if path.is_dir() or a.path == path.name]
            if not wanted:
                raise ArtifactError(f"{path}: {folder / MANIFEST} does not list it as an artifact; export it again")
            artifacts.extend(a for a in wanted if a not in artifacts)
    return list(chosen.values())


def verify_all(
    paths: Sequence[Path], options: VerifyOptions, *, warn: Callable[[str], None], on_step: OnStep = ignore
) -> Parity:
    """Compare what ``paths`` stand for, as ``verify`` does, in one worker: no model can end the caller."""
    chosen = select(paths)
    total = sum(len(artifacts) for _, artifacts in chosen)
    number = itertools.count(1)

    def tell(comparison: Comparison) -> None:
        on_step(Step(next(number), total, comparison.artifact, comparison))

    with contained() as workers:
        there = replace(options, open_session=workers.open_session, on_comparison=tell)
        parts = [verify(manifest, artifacts, there, warn=warn) for manifest, artifacts in chosen]
    return Parity(tuple(parts))


def verify(
    manifest: Manifest, artifacts: Sequence[Artifact], options: VerifyOptions, *, warn: Callable[[str], None]
) -> Verified:
    """Compare the artifacts of one manifest with the Keras reference on the test split of its data, or by golden.

    Golden is what is left where TensorFlow is not installed, or if the data are not to be had and were not asked
    for. Raises DataError if the model has learned from test images, unless that is allowed.
    """
    artifacts = _runnable(manifest, artifacts, warn)
    golden_only = options.by_golden
    if not golden_only and not installed(REFERENCE_RUNTIME):
        if options.names_data:
            raise UsageError("comparing on a data set needs TensorFlow: pip install 'edge-model-toolkit[train]'")
        warn("TensorFlow is not installed: comparing with golden.npz, which shows equal outputs, not accuracy")
        golden_only = True
    if not golden_only:
        try:
            return on_test_set(manifest, artifacts, load(manifest, options, warn), options, warn)
        except DataUnavailableError as error:
            if options.names_data:
                raise
            warn(f"{error}. Comparing with golden.npz instead, which shows equal outputs, not accuracy")
    return by_golden(manifest, artifacts, options)


def on_test_set(
    manifest: Manifest,
    artifacts: Sequence[Artifact],
    dataset: Dataset,
    options: VerifyOptions,
    warn: Callable[[str], None],
) -> Verified:
    """Compare with the reference on the test split of ``dataset``."""
    manifest.require(manifest.reference)
    learned = leaks.check_test_set(manifest, dataset, allowed=options.allow_overlap, warn=warn, instead=INSTEAD)
    description = {**dataset.describe_test(), **learned.to_json()}
    with reference.outputs(manifest, dataset.test, options.open_session) as outputs:
        if outputs.shape[1] <= int(dataset.test.labels.max()):
            raise DataError(f"{manifest.reference_path}: tells {outputs.shape[1]} classes apart, the data have more")
        expected = material(dataset.test.images, dataset.test.labels, outputs, convention=manifest.convention)
        if near_chance(expected.right, np.bincount(dataset.test.labels).tolist()):
            warn(f"{manifest.reference_path}: {_NEAR_CHANCE.format(right=expected.right, images=len(dataset.test))}")
        comparisons = _compare_all(manifest, artifacts, expected, options)
    return Verified(description, comparisons, manifest.reference_path, manifest, manifest.data.classes, expected)


def load(manifest: Manifest, options: VerifyOptions, warn: Callable[[str], None]) -> Dataset:
    """Return the data that the options ask for, or those of the manifest."""
    name = manifest.data.name
    if options.data is None and name not in data.named_sources():
        raise DataError(
            f"{manifest.folder}: was trained on '{name}', which has no source of that name; give it by --data"
        )
    choice = options.data or name
    shape = image_shape(manifest.artifacts[0].inputs[0].shape) if manifest.artifacts else None
    read_as = reading_for(choice, options.reading, replace(manifest.data.reading, model_shape=shape))
    dataset = options.load_data(choice, warn=warn, reading=read_as)
    if dataset.digests != manifest.data.digests:
        warn(f"{manifest.folder}: was trained on '{name}', this is '{dataset.name}' ({dataset.origin})")
    return dataset


def _runnable(manifest: Manifest, artifacts: Sequence[Artifact], warn: Callable[[str], None]) -> list[Artifact]:
    """Return the artifacts whose runtime is installed, and say which are not; MissingExtraError if all are not.

    Those that the chosen runtime does not run are left out, unless no other is asked for.
    """
    taken = [one for one in artifacts if runtimes.takes(Path(one.path), one.quantization)] or artifacts
    if left := [one.path for one in artifacts if one not in taken]:
        warn(f"{manifest.folder}: left out, the runtime does not run them: {', '.join(left)}")
    artifacts = taken
    runtime = {artifact.path: for_file(manifest.folder / artifact.path) for artifact in artifacts}
    runnable = [artifact for artifact in artifacts if installed(runtime[artifact.path])]
    for name in sorted({runtime[artifact.path] for artifact in artifacts} - {runtime[a.path] for a in runnable}):
        if not runnable:
            extras.require(runtimes.get(name).PACKAGE)
        count = list(runtime.values()).count(name)
        warn(f"{manifest.folder}: {count} artifacts left out, {extras.missing(runtimes.get(name).PACKAGE)}")
    return runnable


def by_golden(manifest: Manifest, artifacts: Sequence[Artifact], options: VerifyOptions) -> Verified:
    """Compare with the outputs that golden.npz recorded."""
    manifest.require(manifest.golden)
    record = golden.read(manifest.golden_path)
    missing = [artifact.path for artifact in artifacts if artifact.path not in record.recorded]
    if missing:
        raise ArtifactError(f"{manifest.golden_path}: has no recorded outputs of {', '.join(missing)}; export it again")
    expected = material(record.images, record.labels, record.reference, record.recorded, convention=manifest.convention)
    comparisons = _compare_all(manifest, artifacts, expected, options)
    named = {"name": "golden", "split": "golden", "n": len(record.labels), "sha256": sha256(manifest.golden_path)}
    description = {**named, **leaks.NOT_CHECKED}
    return Verified(description, comparisons, manifest.reference_path, manifest, manifest.data.classes, expected)


def _compare_all(
    manifest: Manifest, artifacts: Sequence[Artifact], expected: Material, options: VerifyOptions
) -> list[Comparison]:
    stale: Problem | None = check_source(manifest, options.runs)
    comparisons = []
    for artifact in artifacts:
        comparison = compare(
            manifest, artifact, expected, margin_pp=options.margin_pp, open_session=options.open_session
        )
        if stale is not None and comparison.problem is None:
            comparison = replace(comparison, problem=stale)
        options.on_comparison(comparison)
        comparisons.append(comparison)
    return comparisons
