"""Add the instructions of an inference to the record of a benchmark."""

from collections.abc import Callable, Sequence

from toolkit.bench.candidates import Candidate
from toolkit.bench.instructions import count_of
from toolkit.bench.record import Record
from toolkit.errors import ArtifactError, UsageError
from toolkit.step import OnStep, Step, ignore


def add(
    record: Record, candidates: Sequence[Candidate], *, warn: Callable[[str], None], on_step: OnStep = ignore
) -> None:
    """Count each candidate that has a result, whatever its threads and batch, and save the record.

    warn: told why one cannot be counted, or why no more can be. Ctrl-C keeps what was counted.
    """
    measured = {result.path for result in record.results}
    chosen = [candidate for candidate in candidates if candidate.path in measured]
    try:
        for done, candidate in enumerate(chosen):
            on_step(Step(done, len(chosen), f"counting the instructions of {candidate.path.name}"))
            try:
                record.instructions[candidate.path] = count_of(candidate)
            except ArtifactError as error:
                warn(str(error))
            except UsageError as error:  # nothing counts here: the next would not be counted either
                warn(str(error))
                break
    except KeyboardInterrupt:
        record.interrupted = True
    record.save()
