"""What is done with records of benchmarks and of verifications."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import drawing
from toolkit.bench.tolerance import MORE_INSTRUCTIONS, SLOWER
from toolkit.errors import ArtifactError, UsageError, warn
from toolkit.files import documents
from toolkit.rebuilt import Rebuilt
from toolkit.step import OnStep, ignore

if TYPE_CHECKING:
    from toolkit.bench.compare_records import Compared
    from toolkit.bench.instructions.versus import Counts
    from toolkit.bench.versus import Versus

_NO_RECORD = "'toolkit bench' writes record.json, 'toolkit verify --save' writes parity.json"


def check_record(record: str | PathLike[str]) -> Rebuilt:
    """Rebuild every figure of a record from the raw samples that it keeps; true if the record says the same.

    record: of a benchmark or of a verification, its file or its folder; which of them it is, its content tells.
    ``.differences`` has a sentence for each figure that differs. Raises ArtifactError if it is no record.
    """
    from toolkit.bench import record as benchmarks
    from toolkit.bench.reading import RECORD
    from toolkit.parity import record as verifications

    path = Path(record)
    if path.is_dir():
        names = (RECORD, verifications.RECORD)
        there = [path / name for name in names if (path / name).exists()]
        if not there:
            raise ArtifactError(f"{path}: no record there; {_NO_RECORD}")
        path = there[0]
    document = documents.load(path, what="a record", missing=f"no such file or folder; {_NO_RECORD}")
    if document.get("command") == "bench":
        return benchmarks.recompute(_folder(path))
    if "rows" not in document:
        raise ArtifactError(f"{path}: no record; {_NO_RECORD}")
    return verifications.recompute(path)


def compare_records(old: str | PathLike[str], new: str | PathLike[str], *, tolerance: float = SLOWER) -> "Compared":
    """Compare two records of benchmarks; true unless an artifact has become slower or can no longer be measured.

    old, new: folders of records. tolerance: the share by which an artifact may have become slower; it must be slower by
    more with 95 % confidence to count. ``.pairs`` has both results of each configuration, with their speed-up if both
    records are of one machine. Raises ArtifactError if the records have nothing in common or are emulated.
    """
    from toolkit.bench import record
    from toolkit.bench.compare_records import compare

    return compare(record.read(_folder(Path(old))), record.read(_folder(Path(new))), tolerance=tolerance)


def compare(
    reference: str | PathLike[str],
    candidate: str | PathLike[str],
    *,
    tolerance: float = SLOWER,
    threads: int = 1,
    batch: int = 1,
    shapes: Mapping[str, Sequence[int]] | None = None,
    seconds: float = 1.0,
    processes: int = 5,
    seed: int = 0,
    on_step: OnStep = ignore,
) -> "Versus":
    """Time two artifacts side by side, anybody's; true unless the candidate is slower than tolerated.

    tolerance: the share by which the candidate may be slower; it must be slower by more with 95 % confidence to count.
    threads, batch: of both. shapes, seconds, processes, seed: as ``bench`` has them; each round starts two processes.
    ``.speedup`` has how many times faster the candidate is, with its 95 % interval, None for two files that are the
    same; ``.same_inputs`` says whether both take the same. Raises ArtifactError if one cannot be measured, UsageError
    for what makes no sense.
    """
    from toolkit.bench import candidates, versus
    from toolkit.bench.plan import Plan

    plan = Plan(threads=(threads,), batches=(batch,), seconds=seconds, processes=processes, seed=seed)
    paths = _artifacts(reference, candidate)
    candidates.check_shapes(paths, shapes or {})
    files = [candidates.select([path], shapes=shapes, warn=warn)[0] for path in paths]
    return versus.versus(files, plan, tolerance=tolerance, on_step=on_step)


def compare_instructions(
    reference: str | PathLike[str],
    candidate: str | PathLike[str],
    *,
    tolerance: float = MORE_INSTRUCTIONS,
    cpu: str | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    on_step: OnStep = ignore,
) -> "Counts":
    """Compare two artifacts by the instructions of one inference; true unless the candidate executes more.

    tolerance: the share by which it may. cpu: one that qemu-user emulates (``toolkit.bench.instructions.cpus.CPUS``);
    None stands for this one if it counts, else for one of its architecture. shapes: as ``bench`` has them.
    ``.counted`` has what each executes and what counted it, None for two files that are the same; ``.ratio`` is the
    candidate's count by the reference's. Raises ArtifactError if one cannot be run or is of Keras, UsageError for a
    negative tolerance, and if nothing on this machine counts instructions.
    """
    from toolkit.bench.candidates import check_shapes
    from toolkit.bench.instructions.versus import compare

    paths = _artifacts(reference, candidate)
    check_shapes(paths, shapes or {})
    return compare(*paths, tolerance=tolerance, cpu=cpu, shapes=shapes, on_step=on_step)


def plot_record(record: str | PathLike[str], picture: str | PathLike[str]) -> str | None:
    """Draw the latencies of a benchmark's record, and accuracy and size against them, into a .png or .svg file.

    Return why accuracy is not in the picture, None if it is. Raises ArtifactError if the record has no latencies,
    MissingExtraError without matplotlib.
    """
    from toolkit.bench import plot
    from toolkit.bench.record import read

    drawing.check(Path(picture))
    return plot.draw(Path(picture), read(_folder(Path(record))))


def _folder(record: Path) -> Path:
    """Return the folder of a benchmark's record."""
    from toolkit.bench.reading import RECORD

    if not record.is_file():
        return record
    if record.name != RECORD:
        raise ArtifactError(
            f"{record}: not the record of a benchmark; that is called {RECORD} and has its samples beside it"
        )
    return record.parent


def _artifacts(*paths: str | PathLike[str]) -> list[Path]:
    """Return the paths of artifacts; UsageError for one that no runtime runs, by its suffix."""
    from toolkit import runtimes

    artifacts = [Path(path) for path in paths]
    for path in artifacts:
        if path.is_dir() or path.suffix not in runtimes.suffixes():
            allowed = f"allowed: one {', '.join(runtimes.suffixes())} file"
            raise UsageError(f"{path}: not an artifact; {allowed}; 'toolkit record compare' compares records")
    return artifacts
