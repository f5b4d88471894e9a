"""What an export asks for: the model made ready, and each file made of it. In a worker, or in this process."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, runtimes
from toolkit.convention import Convention, from_message
from toolkit.data.base import Split
from toolkit.errors import ArtifactError, MissingExtraError, ToolkitError
from toolkit.export import formats, mixture
from toolkit.export.formats.base import LEAVE_OUT, MIXED, Prepared, Request, refusal
from toolkit.export.mixture import Goal
from toolkit.export.prepare import fixed, prepare, prove
from toolkit.files import FileName, naming, sha256
from toolkit.files.documents import to_tree
from toolkit.manifest import Artifact, Derived
from toolkit.runtimes.base import Session
from toolkit.runtimes.keras.loading import load_model
from toolkit.worker.child import Task
from toolkit.worker.tasks import TRY, try_out

READY, CONVERT, DERIVE = "ready", "convert", "derive"
# In the scratch folder of an export: what a worker is given.
VALUES, IMAGES = "values.npy", "images.npy"
HELD_OUT, LABELS = "held-out.npy", "labels.npy"
# The fields of an answer that tells of what ends an export.
MISSING, SYSTEM = "missing", "system"
Answer = tuple[dict[str, Any], bytes]


@dataclass(frozen=True)
class ConversionInput:
    """What is converted, and what for.

    model: of Keras, as it is exported. reference: a session of its saved original. values: of the calibration, (N, …)
    float32, as the model takes them. images: those of the golden, (N, …). convention: what these mean to the model.
    goal: of MIXED artifacts; None if none are made.
    """

    model: Any
    reference: Session
    values: NDArray[np.float32]
    images: NDArray[Any]
    convention: Convention
    goal: Goal | None = None


def ready(kept: dict[str, Any], given: ConversionInput, *, work: Path, log: Path) -> None:
    """Make a model ready for the tasks that convert it, once it is proven that these get what answers as Keras does."""
    with extras.streams_to(log), naming(log.with_name(given.reference.path.name)):
        prepared = prepare(given.model, work)
    prove(prepared, given.reference, given.values)
    kept["given"], kept["prepared"] = given, prepared


def make(
    module: Any, prepared: Prepared, request: Request, path: Path, format_name: str, images: NDArray[Any]
) -> tuple[Artifact, NDArray[np.float32]]:
    """Convert, then load and run the artifact, which is returned with its outputs for the images of the golden.

    One that does not run is not an artifact: the errors of converter and runtime are passed on.
    """
    details = module.convert(prepared, request, path)
    try:
        session = runtimes.open_session(path, threads=0)
        session.convention = request.convention
        outputs = session.predict(images)
    except ArtifactError as error:
        raise ArtifactError(f"it was converted, but does not run; {LEAVE_OUT.format(format_name)}") from error
    artifact = Artifact(
        path=FileName(path.name),
        format=format_name,
        quantization=request.quantization,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        inputs=(session.input,),
        outputs=(session.output,),
        details=details,
    )
    return artifact, outputs


def _ready(
    kept: dict[str, Any],
    content: bytes,
    *,
    path: str,
    shape: Sequence[int],
    reference: str,
    convention: dict[str, Any],
    goal: dict[str, Any] | None,
    work: str,
    log: str,
) -> Answer:
    """Load a Keras file as it is exported, and make it ready; the rows lie in the scratch folder."""
    model = fixed(load_model(Path(path)), Path(path), input_shape=shape, warn=lambda text: None)  # was said before
    session = runtimes.open_session(Path(reference), threads=0)
    values, images = (_rows(work, name) for name in (VALUES, IMAGES))
    means = from_message(convention) or session.convention
    wanted = None if goal is None else Goal(Split(_rows(work, HELD_OUT), _rows(work, LABELS)), **goal)
    ready(kept, ConversionInput(model, session, values, images, means, wanted), work=Path(work), log=Path(log))
    return {}, b""


def _rows(work: str, name: str) -> NDArray[Any]:
    rows: NDArray[Any] = np.load(Path(work, name), allow_pickle=False)
    return rows


def _convert(
    kept: dict[str, Any], content: bytes, *, format_name: str, quantization: str, path: str, log: str
) -> Answer:
    """Make an artifact, and return what the manifest says of it, with its outputs for the images of the golden."""
    given: ConversionInput = kept["given"]
    prepared: Prepared = kept["prepared"]
    module, request = formats.get(format_name), Request(quantization, given.values, given.convention)
    with _in_one_sentence(prepared, format_name, Path(path), Path(log)):
        if quantization == MIXED:
            request = replace(request, in_float=_chosen(module, prepared, given, request, Path(path)))
        artifact, outputs = make(module, prepared, request, Path(path), format_name, given.images)
    return {"artifact": to_tree(artifact), "shape": outputs.shape}, np.ascontiguousarray(outputs).tobytes()


def _chosen(module: Any, prepared: Prepared, given: ConversionInput, request: Request, path: Path) -> tuple[str, ...]:
    """Return which layers of an artifact stay in float; ArtifactError if int8 is good enough, or no choice is."""
    if prepared.rounding is not None:
        raise ArtifactError("the model has learned to round as integer kernels do: its int8 file has all that it knows")
    if given.goal is None:
        raise ArtifactError("nobody says what it must reach")
    trial = path.with_name(f"trial{path.suffix}")

    def convert(in_float: tuple[str, ...]) -> Path:
        module.convert(prepared, replace(request, in_float=in_float), trial)
        return trial

    return mixture.choose(convert, given.reference, given.values, given.goal, given.convention)


def _derive(
    kept: dict[str, Any], content: bytes, *, format_name: str, quantization: str, path: str, origin: str, log: str
) -> Answer:
    """Write an artifact of this export, ``origin``, in another form, and return what the manifest says of its files."""
    given: ConversionInput = kept["given"]
    target = Path(path)
    with _in_one_sentence(kept["prepared"], format_name, target, Path(log)):
        files = formats.get(format_name).derive(target.with_name(origin), target, given.convention)
    made = (
        Derived(FileName(f.name), format_name, quantization, sha256(f), f.stat().st_size, made_from=FileName(origin))
        for f in files
    )
    return {"derived": [to_tree(one) for one in made]}, b""


@contextmanager
def _in_one_sentence(prepared: Prepared, format_name: str, path: Path, log: Path) -> Iterator[None]:
    """Raise ArtifactError, one sentence, for whatever a converter or runtime raises; their own words go to ``log``."""
    with extras.streams_to(log), naming(log.with_name(path.name)):
        try:
            yield
        except (OSError, MissingExtraError):
            raise
        except Exception as error:
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
            if isinstance(error, ToolkitError):
                raise
            raise ArtifactError(refusal(str(error), prepared.layers, format_name=format_name)) from error


def _telling(task: Task) -> Task:
    """Let a worker tell of a full disk and of a missing package: they end an export, and are no fault of the model."""

    def told(kept: dict[str, Any], content: bytes, **question: Any) -> Answer:
        try:
            return task(kept, content, **question)
        except MissingExtraError as error:
            return {MISSING: [error.package, error.extra]}, b""
        except OSError as error:
            return {SYSTEM: [error.errno, error.strerror or str(error), str(error.filename)]}, b""

    return told


# What this process carries out for what was trained here, and a worker for all else.
HERE: dict[str, Task] = {CONVERT: _convert, DERIVE: _derive}
TASKS: dict[str, Task] = {
    TRY: try_out,
    READY: _telling(_ready),
    **{name: _telling(task) for name, task in HERE.items()},
}
