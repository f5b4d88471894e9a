"""Verify folders of artifacts: on a test set beside the Keras reference, or by golden where that is not possible."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import data, extras, golden, manifest, runtimes
from toolkit.errors import ArtifactError, DataError, DataUnavailableError, MissingExtraError, UsageError
from toolkit.files import sha256
from toolkit.golden import Golden
from toolkit.manifest import MANIFEST, Artifact, Manifest
from toolkit.parity import card
from toolkit.parity.compare import Comparison, compare, overall
from toolkit.parity.statistics import DEFAULT_MARGIN_PP
from toolkit.runtimes import REFERENCE_RUNTIME, for_file, installed, open_session


@dataclass(frozen=True)
class Verified:
    """The comparisons of the artifacts of one manifest, and the images that they were made on."""

    manifest: Manifest
    dataset: dict[str, Any]
    comparisons: list[Comparison]

    def save(self) -> None:
        """Write the results into the manifest and its model card; UsageError for results by golden.

        They show that outputs are the same elsewhere, and would replace what was measured on a test set.
        """
        if any(comparison.by_golden for comparison in self.comparisons):
            raise UsageError(
                "results by golden measure no accuracy and are not saved; verify on the test set to --save"
            )
        results = {
            Path(comparison.artifact).name: {"dataset": self.dataset, **comparison.to_json()}
            for comparison in self.comparisons
        }
        updated = self.manifest.with_verified(results)
        updated.write()
        card.write(updated)


def document(verified: Sequence[Verified]) -> dict[str, Any]:
    """Return the JSON document of ``toolkit verify``. ``dataset`` is null where folders have different ones."""
    datasets = [part.dataset for part in verified]
    comparisons = [comparison for part in verified for comparison in part.comparisons]
    return {
        "schema": 1,
        "command": "verify",
        "dataset": datasets[0] if all(dataset == datasets[0] for dataset in datasets) else None,
        "results": [
            {**comparison.to_json(), "dataset": part.dataset} for part in verified for comparison in part.comparisons
        ],
        "verdict": overall(comparisons),
    }


def select(paths: Sequence[Path]) -> list[tuple[Manifest, list[Artifact]]]:
    """Return the manifests, with the artifacts to verify, that files and folders stand for.

    A folder stands for its manifest or for those of its subfolders. ArtifactError where nothing is found.
    """
    chosen: dict[Path, tuple[Manifest, list[Artifact]]] = {}
    for path in paths:
        if not path.exists():
            raise ArtifactError(f"{path}: no such file or folder")
        folders = [path.parent] if path.is_file() else _manifest_folders(path)
        for folder in folders:
            found, artifacts = chosen.setdefault(folder.resolve(), (manifest.read(folder), []))
            wanted = [a for a in found.artifacts if path.is_dir() or a.path == path.name]
            if not wanted:
                raise ArtifactError(f"{path}: {folder / MANIFEST} does not list it as an artifact; export it again")
            artifacts.extend(a for a in wanted if a not in artifacts)
    return list(chosen.values())


def verify(
    found: Manifest,
    artifacts: Sequence[Artifact],
    *,
    data_choice: str | None,
    by_golden: bool,
    margin_pp: float = DEFAULT_MARGIN_PP,
    warn: Callable[[str], None],
    on_comparison: Callable[[Comparison], None] = lambda comparison: None,
) -> Verified:
    """Compare the artifacts of one manifest with the Keras reference on the test split of its data, or by golden.

    Golden is what is left where TensorFlow is not installed, or where the data are not to be had and ``data_choice``
    does not insist on them.
    """
    if not 0 <= margin_pp <= 100:
        raise UsageError(f"the margin is {margin_pp}; it must be from 0 to 100 percentage points")
    artifacts = _runnable(found, artifacts, warn)
    if not by_golden and not installed(REFERENCE_RUNTIME):
        if data_choice is not None:
            raise UsageError("comparing on a data set needs TensorFlow: pip install 'edge-model-toolkit[train]'")
        warn("TensorFlow is not installed: comparing with golden.npz, which shows equal outputs, not accuracy")
        by_golden = True
    if not by_golden:
        try:
            return _on_test_set(found, artifacts, data_choice, margin_pp, warn, on_comparison)
        except DataUnavailableError as error:
            if data_choice is not None:
                raise
            warn(f"{error}. Comparing with golden.npz instead, which shows equal outputs, not accuracy")
    return _by_golden(found, artifacts, margin_pp, on_comparison)


def _runnable(found: Manifest, artifacts: Sequence[Artifact], warn: Callable[[str], None]) -> list[Artifact]:
    """Return the artifacts whose runtime is installed, and say which are not; MissingExtraError if all are not."""
    runtime = {artifact.path: for_file(found.folder / artifact.path) for artifact in artifacts}
    runnable = [artifact for artifact in artifacts if installed(runtime[artifact.path])]
    for name in sorted({runtime[artifact.path] for artifact in artifacts} - {runtime[a.path] for a in runnable}):
        if not runnable:
            extras.require(runtimes.get(name).PACKAGE)
        count = list(runtime.values()).count(name)
        warn(f"{found.folder}: {count} artifacts left out, {MissingExtraError(*runtimes.package_and_extra(name))}")
    return runnable


def _on_test_set(
    found: Manifest,
    artifacts: Sequence[Artifact],
    data_choice: str | None,
    margin_pp: float,
    warn: Callable[[str], None],
    on_comparison: Callable[[Comparison], None],
) -> Verified:
    name = str(found.data["name"])
    if data_choice is None and name not in data.named_sources():
        raise DataError(f"{found.folder}: was trained on '{name}', which has no source of that name; give it by --data")
    dataset = data.load(data_choice or name, warn=warn)
    if dataset.digests != found.data["digests"]:
        warn(f"{found.folder}: was trained on '{name}', this is '{dataset.name}' ({dataset.origin})")
    found.require(found.reference)
    reference = open_session(found.reference_path, threads=0).predict(dataset.test.images)
    if reference.shape[1] <= int(dataset.test.labels.max()):
        raise DataError(f"{found.reference_path}: tells {reference.shape[1]} classes apart, the data have more")
    rows = Golden(dataset.test.images, dataset.test.labels, reference, {})
    comparisons = _compare_all(found, artifacts, rows, margin_pp, on_comparison)
    return Verified(found, dataset.describe_test(), comparisons)


def _by_golden(
    found: Manifest,
    artifacts: Sequence[Artifact],
    margin_pp: float,
    on_comparison: Callable[[Comparison], None],
) -> Verified:
    found.require(found.golden)
    record = golden.read(found.golden_path)
    missing = [artifact.path for artifact in artifacts if artifact.path not in record.recorded]
    if missing:
        raise ArtifactError(f"{found.golden_path}: has no recorded outputs of {', '.join(missing)}; export it again")
    comparisons = _compare_all(found, artifacts, record, margin_pp, on_comparison)
    digest = sha256(found.golden_path)
    description = {"name": "golden", "split": "golden", "n": len(record.labels), "sha256": digest}
    return Verified(found, description, comparisons)


def _compare_all(
    found: Manifest,
    artifacts: Sequence[Artifact],
    rows: Golden,
    margin_pp: float,
    on_comparison: Callable[[Comparison], None],
) -> list[Comparison]:
    """Compare each artifact on the images of ``rows``; by golden where it holds recorded outputs of the artifact."""
    comparisons = []
    for artifact in artifacts:
        comparison = compare(
            found,
            artifact,
            images=rows.images,
            labels=rows.labels,
            reference=rows.reference,
            margin_pp=margin_pp,
            recorded=rows.recorded.get(artifact.path),
        )
        on_comparison(comparison)
        comparisons.append(comparison)
    return comparisons


def _manifest_folders(folder: Path) -> list[Path]:
    if (folder / MANIFEST).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not found:
        raise ArtifactError(f"{folder}: no {MANIFEST} there or in its subfolders; 'toolkit export' writes one")
    return found
