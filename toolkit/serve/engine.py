"""One artifact in a worker of its own: images that arrive while it works are its next batch."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit import manifest as manifests
from toolkit.convention import Convention
from toolkit.errors import ToolkitError, WorkerFailedError
from toolkit.manifest import Manifest
from toolkit.novelty import Judge, Judgement
from toolkit.prediction import answers
from toolkit.prediction.inputs import convention_of
from toolkit.prediction.views import Form, View, form_of, looks_of
from toolkit.runtimes.base import PREDICT_BATCH, Predictor
from toolkit.serve.metrics import ServiceMetrics
from toolkit.text import printable
from toolkit.worker.session import Workers

T = TypeVar("T")

# Looks of one batch: what the worker runs at once. More gain nothing, and make the first one wait.
BATCH = PREDICT_BATCH


@dataclass(frozen=True)
class Answer:
    """What an artifact says of views. probabilities: (N, classes); judgements: N, None of one without a score.

    seconds and batch: of the inference it was in, and how many looks that had.
    """

    classes: Sequence[str]
    probabilities: NDArray[np.float32]
    judgements: Sequence[Judgement | None]
    seconds: float
    batch: int


@dataclass(frozen=True)
class _Waiting:
    views: Sequence[View]
    answer: "asyncio.Future[Answer]"

    @property
    def looks(self) -> int:
        return looks_of(self.views)


@dataclass(frozen=True)
class _Open:
    session: Predictor
    manifest: Manifest | None
    form: Form
    judge: Judge


class Engine:
    """An open artifact. name: what it is called in answers; on_failure: told why a worker died.

    Raises what opening an artifact does: ArtifactError, UsageError if its range must be known.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        given: Convention | None = None,
        metrics: ServiceMetrics,
        warn: Callable[[str], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self.name, self.path = name, path
        self._given, self._metrics = given, metrics
        self._on_failure = on_failure
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._workers = Workers()
        try:
            self._open: _Open | None = self._opened(warn)
        except BaseException:
            self.close()
            raise
        self.form = self._open.form

    @property
    def is_open(self) -> bool:
        """Whether its worker lives."""
        return self._open is not None

    def to_json(self) -> dict[str, Any]:
        """Return what is said of it to a client."""
        return {"name": printable(self.name), **asdict(self.form)}

    async def classify(self, views: Sequence[View]) -> Answer:
        """Return the answer for what the model is to see; ArtifactError if there is none."""
        waiting = _Waiting(views, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.answer

    async def run(self) -> None:
        """Answer until cancelled: what waits goes into one batch while there is room, and else waits for the next."""
        late: _Waiting | None = None
        while True:
            batch = [late or await self._queue.get()]
            late, room = None, BATCH - batch[0].looks
            while late is None and not self._queue.empty():
                one = self._queue.get_nowait()
                if one.looks <= room:
                    batch.append(one)
                    room -= one.looks
                else:
                    late = one
            await self._answer([one for one in batch if not one.answer.done()])

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        if not batch:  # who asked has gone
            return
        views = [view for one in batch for view in one.views]
        try:
            whole = await self._in_thread(self._predict, views)
        except Exception as error:  # noqa: BLE001 — whatever it is, who waits is told
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            if not self.is_open:
                self._failed(error)
                await self._in_thread(self._reopen)
            return
        self._metrics.inferred(self.name, len(views), whole.batch, whole.seconds)
        start = 0
        for one in batch:
            own = slice(start, start + len(one.views))
            start = own.stop
            if not one.answer.done():
                mine = replace(whole, probabilities=whole.probabilities[own], judgements=whole.judgements[own])
                one.answer.set_result(mine)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def close(self) -> None:
        """End the worker, whatever it does, and with it the thread that waits for it."""
        self._workers.close()
        self._thread.shutdown(cancel_futures=True)

    def _opened(self, warn: Callable[[str], None]) -> _Open:
        manifest = manifests.listing(self.path)
        session = self._workers.open_session(self.path)
        session.convention = convention_of(session, manifest, self._given, warn)
        return _Open(session, manifest, form_of(session, manifest, warn=warn), Judge(manifest))

    def _predict(self, views: Sequence[View]) -> Answer:
        if self._open is None:
            self._open = self._opened(_ignore)
        start_s = time.perf_counter()
        try:
            looks = np.concatenate([view.looks for view in views])
            classes, rows = answers.classify(self._open.session, self._open.manifest, looks)
        except WorkerFailedError:
            self._open = None
            raise
        seconds = time.perf_counter() - start_s
        rows, judgements = answers.combine_looks(views, rows, self._open.judge)
        return Answer(classes, rows, judgements, seconds, looks_of(views))

    def _reopen(self) -> None:
        """Start a worker again ahead of the next request, which tries once more if that fails."""
        try:
            self._open = self._opened(_ignore)
        except ToolkitError as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._metrics.failed(self.name)
        self._on_failure(str(error))


def _ignore(text: str) -> None:
    """Say nothing: the first failure was told."""
