"""Add the instructions of an inference to the record of a benchmark."""

from collections.abc import Callable

from toolkit.bench.instructions import count
from toolkit.bench.record import Record
from toolkit.errors import ArtifactError
from toolkit.step import OnStep, Step, ignore


def add(record: Record, *, warn: Callable[[str], None], on_step: OnStep = ignore) -> None:
    """Count each artifact of a record once, whatever its threads and batch, and save the record.

    warn: told why one cannot be counted. Ctrl-C keeps what was counted.
    """
    paths = list(dict.fromkeys(result.path for result in record.results))
    try:
        for done, path in enumerate(paths):
            on_step(Step(done, len(paths), f"counting the instructions of {path.name}"))
            try:
                record.instructions[path] = count(path)
            except ArtifactError as error:
                warn(str(error))
    except KeyboardInterrupt:
        record.interrupted = True
    record.save()
