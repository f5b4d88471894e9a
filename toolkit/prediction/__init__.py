"""Classify image files, or files with rows of values, with one artifact."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from toolkit import data, runtimes, units
from toolkit import manifest as manifests
from toolkit.convention import Convention, Layout
from toolkit.digits import Box, ReadDigit, draw
from toolkit.errors import ArtifactError, DataError, UsageError
from toolkit.files import atomic
from toolkit.labels import inside
from toolkit.manifest import MANIFEST, Manifest
from toolkit.novelty import Judge, Judgement
from toolkit.parity import recorded
from toolkit.prediction.answers import classify, combine_looks
from toolkit.prediction.inputs import convention_of
from toolkit.prediction.views import Form, Image, form_of, prepare
from toolkit.reading import AS_THEY_ARE
from toolkit.runtimes.base import Predictor
from toolkit.verdict import Verdict
from toolkit.worker.session import contained


@dataclass(frozen=True)
class Prediction:
    """The two likeliest classes of one image, the likeliest first.

    box: where in the image the digit is, in pixels of the upright image; None if all of it was classified. novelty: how
    little it resembles its class; None for rows of values, and for a model without a score. noun: what was classified.
    """

    image: str
    classes: tuple[str, str]
    probabilities: tuple[float, float]
    box: Box | None = None
    novelty: Judgement | None = None
    noun: Literal["image", "row"] = "image"

    def to_json(self) -> dict[str, Any]:
        """Return the result of ``toolkit predict --json``."""
        return {
            "image": self.image,
            "class": self.classes[0],
            "probability": self.probabilities[0],
            "runner_up": self.classes[1],
            "runner_up_probability": self.probabilities[1],
            "box": None if self.box is None else asdict(self.box),
            "none_of_these": None if self.novelty is None else self.novelty.none_of_these,
            "novelty": None if self.novelty is None else asdict(self.novelty),
        }


@dataclass(frozen=True)
class Refused:
    """An image that cannot be classified, and why."""

    image: str
    error: str

    def to_json(self) -> dict[str, Any]:
        """Return the result of ``toolkit predict --json``."""
        return {"image": self.image, "error": self.error}


def default_model(folder: Path, *, warn: Callable[[str], None]) -> Path:
    """Return the most accurate verified artifact under ``folder`` that runs here, of equals the smallest.

    Artifacts that were not verified come last. Those that failed are left out, and those that answer differently here
    than where they were exported. ArtifactError if none is left.
    """
    choices = []
    for path in folder.glob(f"*/{MANIFEST}"):
        manifest = manifests.read(path.parent)
        for artifact in manifest.artifacts:
            file = manifest.folder / artifact.path
            if artifact.verdict != Verdict.FAIL and file.is_file() and runtimes.installed(runtimes.for_file(file)):
                choices.append((-(artifact.accuracy or 0.0), artifact.size_bytes, file, manifest, artifact))
    with contained() as workers:
        for *_, file, manifest, artifact in sorted(choices, key=lambda choice: choice[:3]):
            why = recorded.divergence_here(manifest, artifact, workers)
            if why is None:
                return file
            warn(f"{file} is left out, it answers differently here than its golden says: {why}")
    none = (
        "all artifacts there answer differently here than recorded"
        if choices
        else "no artifact there that an installed runtime runs"
    )
    raise ArtifactError(f"{folder}: {none}; name one by --model")


def predict(
    files: Sequence[Path],
    model: Path,
    *,
    given: Convention | None = None,
    labels: Sequence[str] | None = None,
    every_digit: bool = False,
    explain: Path | None = None,
    warn: Callable[[str], None],
) -> list[Prediction | Refused]:
    """Return the prediction for each image file, or for each row of other files, or why there is none.

    given: the range of its pixels, as the user has it. UsageError if it is needed, or if a manifest says another.
    labels: the names of its classes, where no manifest names them; ArtifactError if they are not as many.
    every_digit: one for each digit of an image, in reading order; else an image with several digits is refused.
    explain: where the picture of how one image was read is written; UsageError for several images.
    Raises ArtifactError if the model makes no predictions.
    """
    if explain is not None and (len(files) != 1 or explain.suffix != ".png"):
        raise UsageError(f"{explain}: --explain writes one .png file, of one image; {len(files)} were given")
    manifest = manifests.listing(model)
    if manifest is not None and labels is not None:
        raise UsageError(f"{model}: its manifest names its classes; leave out --labels")
    with contained() as workers:
        session = workers.open_session(model)
        session.convention = convention_of(session, manifest, given, warn)
        if manifest is None and not labels:
            outputs = [size or 0 for size in session.output.shape[-1:]]
            labels = inside(model, max([2, *outputs]))  # a lone sigmoid tells two classes apart
        if session.convention.layout == Layout.VALUES:
            if every_digit or explain is not None:
                raise UsageError(f"{model}: takes rows of values; --all and --explain are about images")
            return _predict_rows(files, session, manifest, labels, warn)
        form = form_of(session, manifest, images=len(files), warn=warn)
        return _predict(files, session, manifest, labels, form, every_digit=every_digit, explain=explain)


def _predict_rows(
    files: Sequence[Path],
    session: Predictor,
    manifest: Manifest | None,
    labels: Sequence[str] | None,
    warn: Callable[[str], None],
) -> list[Prediction | Refused]:
    """Return the prediction for each row of the files; a file that cannot be read is refused as a whole."""
    how = manifest.data.reading if manifest else AS_THEY_ARE
    predictions: list[Prediction | Refused] = []
    for file in files:
        try:
            names, rows, notes = data.rows_of(file, how, session.convention.row_shape(session.input.shape))
        except DataError as error:
            predictions.append(Refused(str(file), str(error)))
            continue
        for note in notes:
            warn(note)
        classes, outputs = classify(session, manifest, rows, labels)
        answers = [_prediction(name, classes, row, None, None) for name, row in zip(names, outputs, strict=True)]
        predictions += [replace(one, noun="row") for one in answers]
    return predictions


def _predict(
    files: Sequence[Path],
    session: Predictor,
    manifest: Manifest | None,
    labels: Sequence[str] | None,
    form: Form,
    *,
    every_digit: bool,
    explain: Path | None,
) -> list[Prediction | Refused]:
    prepared = []
    for file in files:
        one = prepare(file, form)
        if len(one.views) > 1 and not every_digit:
            several = f"{file}: {units.count(len(one.views), 'digit')} in one image; --all reads each of them"
            one = replace(one, views=(), refusal=several)
        prepared.append(one if explain else replace(one, pixels=None, page=None))
    views = [view for one in prepared for view in one.views]
    judge = Judge(manifest)
    names: Sequence[str] = ()
    rows: NDArray[np.float32] = np.empty((0, 0), np.float32)
    judgements: Sequence[Judgement | None] = ()
    if views:
        names, answered = classify(session, manifest, np.concatenate([view.looks for view in views]), labels)
        rows, judgements = combine_looks(views, answered, judge)
    if explain is not None:
        _explain(prepared[0], names, rows, explain)
    left = iter(zip(rows, judgements, strict=True))
    predictions: list[Prediction | Refused] = []
    for one in prepared:
        if one.refusal is not None:
            predictions.append(Refused(one.name, one.refusal))
        predictions += [_prediction(one.name, names, *next(left), view.box) for view in one.views]
    return predictions


def _prediction(
    name: str, names: Sequence[str], row: NDArray[np.float32], judgement: Judgement | None, box: Box | None
) -> Prediction:
    first, second = np.argsort(-row)[:2]
    return Prediction(name, (names[first], names[second]), (float(row[first]), float(row[second])), box, judgement)


def _explain(image: Image, names: Sequence[str], rows: Iterable[NDArray[np.float32]], path: Path) -> None:
    """Write the picture of how one image was read; nothing if it could not be opened."""
    if image.pixels is None:
        return
    reads = []
    for view, row in zip(image.views, rows, strict=True):
        order = np.argsort(-row)
        reads.append(ReadDigit(_flat(view.pixels), [names[label] for label in order], row[order].tolist()))
    picture = draw(_flat(image.pixels), image.page, reads, refusal=image.refusal)
    with atomic(path) as temporary:
        picture.save(temporary)


def _flat(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W) for (H, W, 1) pixels."""
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels
