"""What every executor is asked and what it answers."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from toolkit.reading import AS_THEY_ARE, Reading
from toolkit.study.trials import Trial
from toolkit.training.checkpoint import Epoch

STARTED, EPOCH, ENDED = "started", "epoch", "ended"


@dataclass(frozen=True)
class Event:
    """Something that happened to a run. epoch: the one that is over, of an ``epoch`` event.

    What a run came to is in its folder when it has ended; an event only says that it may be read.
    """

    trial: Trial
    kind: str
    epoch: Epoch | None = None


@dataclass(frozen=True)
class Work:
    """What the runs of a study share.

    data: what ``toolkit.data.load`` takes, the same wherever a run is trained. reading: how they are read. imports,
    unsafe_lambda: what models may run (``toolkit.runtimes.keras.loading.allowing``).
    """

    data: str
    device: str
    allow_overlap: bool
    reading: Reading = AS_THEY_ARE
    imports: tuple[str, ...] = ()
    unsafe_lambda: bool = False


class Executor(Protocol):
    """Carries out runs by ``trials.perform``, in any order, wherever it likes.

    A run is taken from ``trials`` when there is room for it, and not before: which one comes next may depend on what
    the ended ones came to.
    Closing the generator ends the runs that go on at once; their last checkpoints are whole. A run whose process or
    machine is lost is tried again from its checkpoint, or is noted by ``trials.record_failure``; the others go on.
    """

    @property
    def jobs(self) -> int:
        """How many runs are trained at a time."""
        ...

    def __call__(self, trials: Iterable[Trial], work: Work, /) -> Generator[Event, None, None]:
        """Yield ``started`` and ``ended`` for each run, and an ``epoch`` for each epoch in between."""
        ...
