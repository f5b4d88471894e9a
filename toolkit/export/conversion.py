"""Convert one model into every artifact that was asked for, and go on where one cannot be made.

A file that somebody else made is converted in a worker: Keras may run what a converter has no end with.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError, MissingExtraError, ToolkitError
from toolkit.export import formats, tasks
from toolkit.export.tasks import (
    CONVERT,
    DERIVE,
    HELD_OUT,
    HERE,
    IMAGES,
    LABELS,
    MISSING,
    READY,
    SYSTEM,
    VALUES,
    ConversionInput,
)
from toolkit.files import documents, naming
from toolkit.manifest import Artifact, Derived
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.step import OnStep, Step, ignore
from toolkit.worker.keras import TryOut, is_own
from toolkit.worker.process import Process
from toolkit.worker.session import PATIENCE_S as TRIED_S
from toolkit.worker.session import ROW_S
from toolkit.worker.tasks import TRY

# Seconds that it may take to make a model ready, or to convert it once, beyond ROW_S for each row of the calibration.
PATIENCE_S = 600.0
_WHAT = "what was converted"


class Converter(Protocol):
    """What converts the model of one Keras file."""

    @property
    def try_out(self) -> TryOut | None:
        """What tries the file before this process loads it, as ``Workers.try_out``; None if that is not needed."""

    def ready(self, given: ConversionInput, *, work: Path, log: Path) -> None:
        """Make the model ready in the scratch folder ``work``; ArtifactError if it cannot be.

        log: for what converters print.
        """

    def ask(self, do: str, *, format_name: str, **question: str) -> tuple[dict[str, Any], bytes]:
        """Carry out a task of ``toolkit.export.tasks``; ArtifactError for what cannot be done."""


@dataclass
class Converted:
    """What was made in a scratch folder. recorded: outputs for the golden's images, failures: why, by file name."""

    made: list[Artifact] = field(default_factory=list)
    derived: list[Derived] = field(default_factory=list)
    recorded: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Artifact | Derived, ...]:
        """Everything that was made."""
        return (*self.made, *self.derived)


@contextmanager
def converting(path: Path) -> Iterator[Converter]:
    """Yield what converts a Keras file: this process if its weights were trained here, else a worker."""
    if is_own(path):
        yield _Here()
        return
    contained = _Contained(path)
    try:
        yield contained
    finally:
        contained.close()


class _Here:
    """This process."""

    try_out = None

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def ready(self, given: ConversionInput, *, work: Path, log: Path) -> None:
        """Make the model ready."""
        tasks.ready(self._kept, given, work=work, log=log)

    def ask(self, do: str, *, format_name: str, **question: str) -> tuple[dict[str, Any], bytes]:
        """Carry out a task."""
        return HERE[do](self._kept, b"", format_name=format_name, **question)


class _Contained:
    """A worker, and a new one if that was ended, for the files that are still to be made.

    It is the one that tries the file first: it imports TensorFlow once for both.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: Process | None = None
        self._made_ready: dict[str, Any] = {}  # the question that makes it so
        self._seconds = 0.0

    def try_out(self, path: Path, rows: Sequence[int]) -> None:
        """Load the file and run it once, as ``Workers.try_out``."""
        question = {"do": TRY, "path": str(path), "runtime": REFERENCE_RUNTIME, "rows": list(rows)}
        process = self._living()
        process.what = f"{path}: {REFERENCE_RUNTIME}"
        process.ask(question, seconds=ROW_S * math.prod(rows[:1]), patience_s=TRIED_S)

    def ready(self, given: ConversionInput, *, work: Path, log: Path) -> None:
        """Make the model ready in the worker, which reads the rows from the scratch folder."""
        goal = given.goal
        arrays = {VALUES: given.values, IMAGES: given.images}
        if goal is not None:
            arrays |= {HELD_OUT: goal.rows.images, LABELS: goal.rows.labels}
        for name, rows in arrays.items():
            with naming(work / name), (work / name).open("wb") as file:
                np.save(file, rows)
        self._seconds = ROW_S * len(given.values)
        self._made_ready = {
            "do": READY,
            "path": str(self._path),
            "shape": given.reference.input.shape[1:],
            "reference": str(given.reference.path),
            "convention": documents.to_tree(given.convention),
            "goal": None if goal is None else goal.limits,
            "work": str(work),
            "log": str(log),
        }
        self._answer(self._living(), "its conversion", self._made_ready)

    def ask(self, do: str, *, format_name: str, **question: str) -> tuple[dict[str, Any], bytes]:
        """Have one file made, by a new worker if the last was ended."""
        before, process = self._process, self._living()
        if process is not before:
            self._answer(process, "its conversion", self._made_ready)
        return self._answer(
            process, f"its conversion to {format_name}", {"do": do, "format_name": format_name, **question}
        )

    def close(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.close()

    def _living(self) -> Process:
        """Return the worker, or a new one if there is none or it was ended."""
        if self._process is None or self._process.failed:
            self.close()
            self._process = Process("", tasks.__name__, patience_s=PATIENCE_S)
        return self._process

    def _answer(self, process: Process, what: str, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        process.what = f"{self._path}: {what}"
        answer, content = process.ask(question, seconds=self._seconds)
        if MISSING in answer:
            raise MissingExtraError(*answer[MISSING])
        if SYSTEM in answer:
            raise OSError(*answer[SYSTEM])
        return answer, content


def convert_all(
    converter: Converter, pairs: Sequence[tuple[str, str]], *, name: str, work: Path, log: Path, on_step: OnStep
) -> Converted:
    """Make ``name``'s files for the (format, quantization) pairs in the scratch folder ``work``.

    What converters print goes to ``log``. Errors of the disk and missing packages end it; others are ``failures``.
    """
    converted = Converted()
    for number, (format_name, quantization) in enumerate(pairs, 1):
        module = formats.get(format_name)
        path = work / f"{name}-{quantization}{module.SUFFIX}"
        asked = {"format_name": format_name, "quantization": quantization, "path": str(path), "log": str(log)}
        try:
            if module.MADE_FROM is None:
                answer, content = converter.ask(CONVERT, **asked)
                artifact = documents.convert(answer["artifact"], Artifact, path, what=_WHAT)
                converted.made.append(artifact)
                converted.recorded[artifact.path] = np.frombuffer(content, np.float32).reshape(answer["shape"])
            else:
                answer, _ = converter.ask(DERIVE, **asked, origin=_origin(module, quantization, converted.made))
                converted.derived += documents.convert(answer["derived"], list[Derived], path, what=_WHAT)
        except (OSError, MissingExtraError):
            raise
        except ToolkitError as error:
            converted.failures[path.name] = str(error)
        on_step(Step(number, len(pairs), f"{path.name}{': failed' if path.name in converted.failures else ''}"))
    return converted


def try_out(path: Path, given: ConversionInput, pairs: Sequence[tuple[str, str]], *, work: Path, log: Path) -> None:
    """Have a worker convert the model of a Keras file that somebody else made, before this process does so itself.

    ArtifactError for what cannot be made.
    """
    if is_own(path):
        return
    with converting(path) as converter:
        converter.ready(given, work=work, log=log)
        converted = convert_all(converter, pairs, name=path.stem, work=work, log=log, on_step=ignore)
    for name, why in converted.failures.items():
        raise ArtifactError(f"{path}: {name}: {why}")


def _origin(module: Any, quantization: str, made: Sequence[Artifact]) -> str:
    """Return the file of this export that one in another form is made from; ArtifactError if it was not made."""
    pair = (module.MADE_FROM, quantization)
    origin = next((str(one.path) for one in made if (one.format, one.quantization) == pair), None)
    if origin is None:
        raise ArtifactError(f"it is made from the {quantization} {module.MADE_FROM}, which could not be exported")
    return origin
