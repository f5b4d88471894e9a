"""Which artifact goes to the device: the one that was named, or the one that a benchmark on this machine recommends,
and the setting of its runtime.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import host, runtimes
from toolkit import manifest as manifests
from toolkit.bench import reading, settings
from toolkit.bench.reading import RECORD, OutcomeEntry
from toolkit.bundle import classify
from toolkit.errors import ArtifactError
from toolkit.manifest import MANIFEST, Artifact, Manifest
from toolkit.parity import recorded
from toolkit.worker.session import contained

# Why an artifact was chosen that no benchmark recommends.
NAMED = "it was named"


@dataclass(frozen=True)
class ChosenArtifact:
    """An artifact, and why it was chosen.

    record: the benchmark that recommends it; None if the user named it.
    """

    artifact: Artifact
    why: str
    record: str | None = None


@dataclass(frozen=True)
class Winner:
    """A setting of a runtime that was surely faster, and the benchmark that says so."""

    setting: str
    record: str


def resolve(given: str, exported: Path) -> tuple[Manifest, ChosenArtifact | None]:
    """Return the manifest that a folder, an artifact or a model's name stands for, and the artifact if it is named.

    ArtifactError if there is none.
    """
    path = Path(given)
    if not path.exists() and (exported / given / MANIFEST).is_file():
        path = exported / given
    if path.is_file():
        manifest = manifests.read(path.parent)
        artifact = next((entry for entry in manifest.artifacts if entry.path == path.name), None)
        if artifact is None:
            names = ", ".join(entry.path for entry in manifest.artifacts)
            raise ArtifactError(f"{path}: not an artifact of {path.parent / MANIFEST}; allowed: {names}")
        return manifest, ChosenArtifact(artifact, NAMED)
    if not (path / MANIFEST).is_file():
        known = ", ".join(sorted(entry.parent.name for entry in exported.glob(f"*/{MANIFEST}"))) or "none"
        raise ArtifactError(
            f"{given}: no folder of artifacts, no artifact and no model of {exported}/ (there: {known})"
        )
    return manifests.read(path), None


def recommended(manifest: Manifest, benchmarks: Path) -> ChosenArtifact | None:
    """Return what the newest benchmark on this machine of the folder's present artifacts recommends.

    None if there is no such benchmark: one that was not interrupted, measured at least one of them, and has, by their
    digests, all artifacts that an installed runtime runs.
    """
    document = next((one for one in _of_here(benchmarks) if _covers(one, manifest)), None)
    return recommendation(document, manifest) if document else None


def tuned(manifest: Manifest, artifact: Artifact, benchmarks: Path) -> Winner | None:
    """Return what won in the newest benchmark on this machine that tried settings of an artifact, by its digest.

    None if none did, if nothing won there, or if ``classify.py`` has no place for its line.
    """
    runtime = runtimes.for_file(manifest.folder / artifact.path)
    for document in _of_here(benchmarks):
        results = [one for one in document["results"] if one.get("sha256") == artifact.sha256]
        tried = next((one for result in results if (one := result.get("tuned")) and one["tried"]), None)
        if tried:
            setting = next((one.name for one in settings.for_runtime(runtime) if one.name == tried["best"]), None)
            placed = classify.script(runtime, setting=setting) != classify.script(runtime)
            return Winner(setting, document["record"]) if setting and placed else None
    return None


def recommendation(document: Mapping[str, Any], manifest: Manifest) -> ChosenArtifact:
    """Return what a benchmark, as its JSON document, recommends of a folder; ArtifactError if that is nothing."""
    digests = {result["artifact"]: result.get("sha256") for result in document["results"]}
    artifacts = {artifact.sha256: artifact for artifact in manifest.artifacts}
    for entry in document["recommendations"]:
        artifact = artifacts.get(digests.get(entry["artifact"]) or "")
        if artifact is not None and entry["fits"]:
            return ChosenArtifact(artifact, entry["why"], document["record"])
    whys = [entry["why"] for entry in document["recommendations"] if digests.get(entry["artifact"]) in artifacts]
    reason = "; ".join(filter(None, whys)) or next(iter(document["failures"].values()), "nothing fits")
    if document["host"].get("emulated"):
        reason = "under emulation no latency is given"
    raise ArtifactError(f"{document['record']} recommends nothing of {manifest.folder} ({reason}); name an artifact")


def divergence_here(manifest: Manifest, choice: ChosenArtifact) -> str | None:
    """Return what keeps the artifact from answering here as where it was exported; None if it does."""
    with contained() as workers:
        return recorded.divergence_here(manifest, choice.artifact, workers)


def _of_here(benchmarks: Path) -> Iterator[OutcomeEntry]:
    """Yield the benchmarks of this machine that were not interrupted, the newest first."""
    here = host.describe().to_json()
    for path in sorted(benchmarks.glob(f"*/{RECORD}"), reverse=True):
        try:
            document = reading.document(path, OutcomeEntry)
        except ArtifactError:
            continue  # not a record, or one of another toolkit
        if not (host.differences(document["host"], here) or document["interrupted"]):
            yield {**document, "record": str(path.parent)}


def _covers(document: Mapping[str, Any], manifest: Manifest) -> bool:
    measured = {result.get("sha256") for result in document["results"]}
    failed = {Path(path).name for path in document["failures"]}
    return any(artifact.sha256 in measured for artifact in manifest.artifacts) and all(
        artifact.sha256 in measured or artifact.path in failed
        for artifact in manifest.artifacts
        if runtimes.installed(runtimes.for_file(manifest.folder / artifact.path))
    )
