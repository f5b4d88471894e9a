"""Convert one model into every artifact that was asked for, and go on where one cannot be made.

A file that somebody else made is converted in a worker: Keras may run what a converter has no end with.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit import registry
from toolkit.errors import ArtifactError, MissingExtraError, ToolkitError
from toolkit.export import tasks
from toolkit.export.tasks import CONVERT, DERIVE, HERE, IMAGES, MISSING, READY, SYSTEM, VALUES, Given
from toolkit.files import documents, naming
from toolkit.manifest import Artifact, Derived
from toolkit.step import OnStep, Step, ignore
from toolkit.worker.keras import is_own
from toolkit.worker.process import Process
from toolkit.worker.session import ROW_S

# Seconds that it may take to make a model ready, or to convert it once, beyond ROW_S for each row of the calibration.
PATIENCE_S = 600.0
_WHAT = "what was converted"


class Ask(Protocol):
    """What carries out the tasks of ``toolkit.export.tasks`` on one model."""

    def __call__(self, do: str, *, format_name: str, **question: str) -> tuple[dict[str, Any], bytes]:
        """Return the answer and the bytes behind it; ArtifactError for what cannot be done."""


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
def asking(path: Path, given: Given, *, work: Path, log: Path) -> Iterator[Ask]:
    """Yield what converts the model of a Keras file, made ready: this process if it was trained here, else a worker.

    work: the scratch folder. log: for what converters print. ArtifactError if the model cannot be made ready.
    """
    if is_own(path):
        kept: dict[str, Any] = {}
        tasks.ready(kept, given, work=work, log=log)
        yield lambda do, **question: HERE[do](kept, b"", **question)
        return
    contained = _Contained(path, given, work=work, log=log)
    try:
        contained.start()
        yield contained.ask
    finally:
        contained.close()


class _Contained:
    """A worker that converts one model, and a new one if that was ended, for the files that are still to be made."""

    def __init__(self, path: Path, given: Given, *, work: Path, log: Path) -> None:
        for name, rows in ((VALUES, given.values), (IMAGES, given.images)):
            with naming(work / name), (work / name).open("wb") as file:
                np.save(file, rows)
        self._path, self._seconds = path, ROW_S * len(given.values)
        self._question = {
            "do": READY,
            "path": str(path),
            "shape": given.reference.input.shape[1:],
            "reference": str(given.reference.path),
            "convention": documents.to_tree(given.convention),
            "work": str(work),
            "log": str(log),
        }
        self._process: Process | None = None

    def start(self) -> Process:
        """Start a worker, and make the model ready there."""
        self.close()
        self._process = Process(f"{self._path}: its conversion", tasks.__name__, patience_s=PATIENCE_S)
        self._answer(self._process, self._question)
        return self._process

    def ask(self, do: str, *, format_name: str, **question: str) -> tuple[dict[str, Any], bytes]:
        """Have one file made."""
        process = self.start() if self._process is None or self._process.failed else self._process
        process.what = f"{self._path}: its conversion to {format_name}"
        return self._answer(process, {"do": do, "format_name": format_name, **question})

    def close(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.close()

    def _answer(self, process: Process, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        answer, content = process.ask(question, seconds=self._seconds)
        if MISSING in answer:
            raise MissingExtraError(*answer[MISSING])
        if SYSTEM in answer:
            raise OSError(*answer[SYSTEM])
        return answer, content


def convert_all(
    ask: Ask, pairs: Sequence[tuple[str, str]], *, name: str, work: Path, log: Path, on_step: OnStep
) -> Converted:
    """Make ``name``'s files for the (format, quantization) pairs in the scratch folder ``work``.

    What converters print goes to ``log``. Errors of the disk and missing packages end it; others are ``failures``.
    """
    converted = Converted()
    for number, (format_name, quantization) in enumerate(pairs, 1):
        module = registry.member("toolkit.export.formats", format_name, kind="format")
        path = work / f"{name}-{quantization}{module.SUFFIX}"
        asked = {"format_name": format_name, "quantization": quantization, "path": str(path), "log": str(log)}
        try:
            if module.MADE_FROM is None:
                answer, content = ask(CONVERT, **asked)
                artifact = documents.convert(answer["artifact"], Artifact, path, what=_WHAT)
                converted.made.append(artifact)
                converted.recorded[artifact.path] = np.frombuffer(content, np.float32).reshape(answer["shape"])
            else:
                answer, _ = ask(DERIVE, **asked, origin=_origin(module, quantization, converted.made))
                converted.derived += documents.convert(answer["derived"], list[Derived], path, what=_WHAT)
        except (OSError, MissingExtraError):
            raise
        except ToolkitError as error:
            converted.failures[path.name] = str(error)
        on_step(Step(number, len(pairs), f"{path.name}{': failed' if path.name in converted.failures else ''}"))
    return converted


def try_out(path: Path, given: Given, pairs: Sequence[tuple[str, str]], *, work: Path, log: Path) -> None:
    """Have a worker convert the model of a Keras file that somebody else made, before this process does so itself.

    ArtifactError for what cannot be made.
    """
    if is_own(path):
        return
    with asking(path, given, work=work, log=log) as ask:
        converted = convert_all(ask, pairs, name=path.stem, work=work, log=log, on_step=ignore)
    for name, why in converted.failures.items():
        raise ArtifactError(f"{path}: {name}: {why}")


def _origin(module: Any, quantization: str, made: Sequence[Artifact]) -> str:
    """Return the file of this export that one in another form is made from; ArtifactError if it was not made."""
    pair = (module.MADE_FROM, quantization)
    origin = next((artifact.path for artifact in made if (artifact.format, artifact.quantization) == pair), None)
    if origin is None:
        raise ArtifactError(f"it is made from the {quantization} {module.MADE_FROM}, which could not be exported")
    return origin
