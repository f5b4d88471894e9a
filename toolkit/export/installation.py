"""Put the files of an export in their place, with the manifest that lists them."""

import io
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from toolkit import data, golden
from toolkit.convention import Convention
from toolkit.data.base import Dataset, Split
from toolkit.entries import CountedFile, ListedFile, NoveltyFile, TrainingData, Verification
from toolkit.errors import ArtifactError
from toolkit.export.calibration import Calibration
from toolkit.export.conversion import Converted
from toolkit.export.formats import every
from toolkit.export.sources import Source
from toolkit.files import FileName, sha256, write_bytes
from toolkit.golden import GOLDEN, Golden
from toolkit.manifest import MANIFEST, Artifact, Derived, Manifest, read
from toolkit.overlap import Overlap
from toolkit.parity import card
from toolkit.parity import record as parity
from toolkit.verdict import Verdict

ROWS = "learned.npy"
# Distributions whose versions decide what an export writes.
TOOLS = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "numpy")


@dataclass(frozen=True)
class Job:
    """A model with data that fit it. shared: images that its training, validation and test rows share.

    calibration: of int8. golden_rows: the images of the golden. convention: what the model takes and answers with.
    """

    source: Source
    dataset: Dataset
    shared: tuple[Overlap, ...]
    calibration: Calibration
    golden_rows: Split
    convention: Convention = field(default_factory=Convention)

    def reference(self, work: Path) -> Path:
        """Return where the Keras original lies in the scratch folder."""
        return work / f"{self.source.name}.keras"


def warn_of_replaced(folder: Path, dataset: Dataset, warn: Callable[[str], None]) -> None:
    """Warn if ``folder`` holds an export for other data, whose files of the same names will be replaced."""
    with suppress(ArtifactError):  # there is none that can be read
        if (other := read(folder).data.name) != dataset.name:
            warn(f"{folder}: its export for '{other}' is replaced by one for '{dataset.name}'; --output keeps both")


def install(
    job: Job, converted: Converted, record: Golden, novelty: NoveltyFile | None, *, work: Path, folder: Path
) -> Manifest:
    """Complete the files in ``work``, then rename them into ``folder``, the manifest last.

    Renaming takes no space on the disk, so what can fail has failed before the first old file is replaced. Artifacts of
    the same source, calibration and input range that were exported before stay listed, and one that is made again byte
    for byte keeps its verdict, unless that is a fail. A parity record that no longer agrees with the manifest is
    removed.
    """
    reference, source, dataset = job.reference(work), job.source, job.dataset
    rows = _write_rows(dataset, work)
    trained_on = TrainingData(dataset.name, dataset.class_names, dataset.digests, job.shared, rows, dataset.reading)
    calibration = job.calibration.listed(dataset.name)
    made_from = (source.origin.sha256, trained_on.digests, calibration, str(job.convention))
    before = _earlier(folder, made_from, record)
    verdicts = {(a.path, a.sha256): a.verified for a in before.artifacts if a.verified} if before else {}
    made = [_verified(artifact, verdicts.get((artifact.path, artifact.sha256))) for artifact in converted.made]
    names = {artifact.path for artifact in converted.made}
    earlier = tuple(a for a in before.artifacts if a.path not in names) if before else ()
    if before is not None:
        known = golden.read(before.golden_path).recorded
        record = replace(record, recorded={a.path: known[a.path] for a in earlier} | record.recorded)
        shutil.copyfile(before.reference_path, reference)
    record.write(work / GOLDEN)
    for chart in source.charts:
        shutil.copyfile(chart, work / chart.name)
    order = every()
    manifest = Manifest(
        folder=work,
        model=FileName(source.name),
        data=trained_on,
        recipe=source.recipe,
        source=source.origin,
        reference=ListedFile(FileName(reference.name), sha256(reference)),
        golden=CountedFile(FileName(GOLDEN), sha256(work / GOLDEN), len(record.labels)),
        calibration=calibration,
        versions={tool: version(tool) for tool in TOOLS},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        artifacts=tuple(sorted((*earlier, *made), key=lambda a: order.index((a.format, a.quantization)))),
        derived=(*(_still_derived(before, converted) if before else ()), *converted.derived),
        convention=job.convention,
        novelty=novelty,
    )
    manifest.write()
    card.write(manifest)
    others = [*(chart.name for chart in source.charts), *(entry.path for entry in (rows, novelty) if entry)]
    names |= {entry.path for entry in converted.derived}
    for name in (*sorted(names), reference.name, GOLDEN, *others, card.CARD, MANIFEST):
        (work / name).replace(folder / name)
    if not verdicts or not verdicts.keys() <= {(a.path, a.sha256) for a in manifest.artifacts if a.verified}:
        for name in (parity.RECORD, parity.ROWS):
            (folder / name).unlink(missing_ok=True)
    return replace(manifest, folder=folder)


def _verified(artifact: Artifact, before: Verification | None) -> Artifact:
    """Return an artifact with the verdict on the same bytes before; a fail may have been of a file that had changed."""
    return replace(artifact, verified=before if before and before.verdict != Verdict.FAIL else None)


def _write_rows(dataset: Dataset, work: Path) -> CountedFile | None:
    """Keep the digests of the training and validation images, so that a later test set can be compared with them.

    Published data, which can be had anywhere, need none.
    """
    if getattr(data.sources().get(dataset.name), "DIGESTS", None):
        return None
    content = io.BytesIO()  # of a full disk np.save says how many bytes it wrote, and no name
    np.save(content, dataset.learned_digests)
    write_bytes(work / ROWS, content.getvalue())
    return CountedFile(FileName(ROWS), sha256(work / ROWS), len(dataset.learned_digests))


def _still_derived(before: Manifest, converted: Converted) -> tuple[Derived, ...]:
    """Return the derived files of an earlier export whose artifacts are what they were."""
    now = {artifact.path: artifact.sha256 for artifact in (*before.artifacts, *converted.made)}
    then = {artifact.path: artifact.sha256 for artifact in before.artifacts}
    replaced = {entry.path for entry in converted.derived}
    kept = (entry for entry in before.derived if entry.path not in replaced)
    return tuple(entry for entry in kept if now[entry.made_from] == then[entry.made_from])


def _earlier(folder: Path, made_from: tuple[object, ...], record: Golden) -> Manifest | None:
    """Return the manifest that is there, if what it lists was made from the same and its files are whole.

    Its golden must have the rows of ``record``: older ones had more of large images.
    """
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = read(folder)
        manifest.require(manifest.reference, manifest.golden)
        kept = golden.read(manifest.golden_path).images
    except ArtifactError:
        return None
    if not np.array_equal(kept, record.images):
        return None
    its = (manifest.source.sha256, manifest.data.digests, manifest.calibration, str(manifest.convention))
    return manifest if its == made_from else None
