"""What is measured on the int8 file of a network: by the field of ``Costs``, how, and what it takes here."""

from collections.abc import Callable
from pathlib import Path

from toolkit import host, locks, runtimes
from toolkit.bench import instructions, schedule
from toolkit.bench.candidates import Candidate
from toolkit.bench.plan import Plan
from toolkit.errors import ArtifactError, UsageError
from toolkit.search.budgets import Budgets, MeasuredCost

# One thread and one image, as ``toolkit bench`` measures unless told otherwise.
PLAN = Plan()


def require(budgets: Budgets, *, is_alone: bool) -> None:
    """Raise UsageError if a cost is limited that cannot be measured. is_alone: whether nothing is trained meanwhile."""
    if budgets.max_instructions is not None:
        instructions.emulator_for(None)
    if budgets.max_latency_s is None:
        return
    if not is_alone:
        raise UsageError("--max-latency is timed on this machine between trainings; leave --jobs and --ray out")
    if host.describe().emulated:
        raise UsageError("this machine is emulated, its times are no latencies; leave --max-latency out")


def _instructions(path: Path) -> MeasuredCost:
    """Count the instructions of one inference: the same number every time, on one kind of CPU."""
    counted = instructions.count(path)
    return MeasuredCost(counted.count, counted.count, counted.count, counted.where)


def _latency_s(path: Path) -> MeasuredCost:
    """Time a file, and return its floor: what an inference takes where nothing else disturbs the machine."""
    with locks.scratch() as folder:
        record = schedule.bench([Candidate(path, runtimes.for_file(path), None)], folder / "record", PLAN)
    if record.interrupted:
        raise KeyboardInterrupt
    if record.failures:
        raise ArtifactError("; ".join(record.failures.values()))
    (result,) = record.results
    return MeasuredCost(
        result.floor.value, result.floor.low, result.floor.high, f"the floor on one thread of {record.host.cpu}"
    )


MEASURES: dict[str, Callable[[Path], MeasuredCost]] = {"instructions": _instructions, "latency_s": _latency_s}
