"""Classify image files, or files with rows of values, with one artifact."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import data, images, manifest, novelty, runs, runtimes, units
from toolkit.convention import OPTION, Convention, Layout, Output, bytes_of, output_of
from toolkit.digits import ENOUGH, Box, Page, Read, draw, find, is_mnist, of_canvas, to_form
from toolkit.errors import ArtifactError, DataError, UsageError
from toolkit.files import atomic
from toolkit.files.memory import check_memory
from toolkit.manifest import MANIFEST, Manifest
from toolkit.novelty import Judgement
from toolkit.parity import checks, inputs, recorded
from toolkit.reading import AS_THEY_ARE, Reading, Resize
from toolkit.runtimes.base import Predictor
from toolkit.verdict import Verdict
from toolkit.worker.session import contained

# Data sets of handwritten digits: photos are brought to their form. Others are only scaled.
DIGITS = ("mnist", "sample")
# Of each kind, what an unknown model answers for before it is said what its answers are.
PATTERNS = 8


@dataclass(frozen=True)
class Prediction:
    """The two likeliest classes of one image, the likeliest first.

    box: where in the image the digit is, in pixels of the upright image; None if all of it was classified. novelty: how
    unlike the classes it is; None of rows of values, and if nothing beside the model tells it.
    """

    image: str
    classes: tuple[str, str]
    probabilities: tuple[float, float]
    box: Box | None = None
    novelty: Judgement | None = None

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
        found = manifest.read(path.parent)
        for artifact in found.artifacts:
            file = found.folder / artifact.path
            if artifact.verdict != Verdict.FAIL and file.is_file() and runtimes.installed(runtimes.for_file(file)):
                choices.append((-(artifact.accuracy or 0.0), artifact.size_bytes, file, found, artifact))
    with contained() as workers:
        for *_, file, found, artifact in sorted(choices, key=lambda choice: choice[:3]):
            why = recorded.otherwise(found, artifact, workers)
            if why is None:
                return file
            warn(f"{file} is left out, it answers differently here than where it was exported: {why}")
    none = (
        "all artifacts there answer differently here than recorded"
        if choices
        else "no artifact there that an installed runtime runs"
    )
    raise ArtifactError(f"{folder}: {none}; name one by --model")


@dataclass(frozen=True)
class Form:
    """What a model takes: images of one size.

    digits: whether they are of handwritten digits, which are looked for in photos; how: others are brought to the size.
    """

    height: int
    width: int
    channels: int
    digits: bool
    how: Resize


@dataclass(frozen=True)
class View:
    """What the model is to see: (H, W, C) pixels, and where in the image they are from."""

    pixels: NDArray[np.uint8]
    box: Box | None = None


@dataclass(frozen=True)
class Image:
    """One image file. page: where its digits were looked for; views: nothing if it was refused, for a reason."""

    file: Path
    pixels: NDArray[np.uint8] | None = None
    page: Page | None = None
    views: Sequence[View] = ()
    refusal: str | None = None


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
    found = manifest.listing(model)
    if found is not None and labels is not None:
        raise UsageError(f"{model}: its manifest names its classes; leave out --labels")
    with contained() as workers:
        session = workers.open_session(model)
        session.convention = convention_of(session, found, given, warn)
        if session.convention.layout == Layout.VALUES:
            if every_digit or explain is not None:
                raise UsageError(f"{model}: takes rows of values; --all and --explain are about images")
            return _predict_rows(files, session, found, labels)
        return _predict(files, session, found, labels, every_digit=every_digit, explain=explain)


def convention_of(
    session: Predictor, found: Manifest | None, given: Convention | None, warn: Callable[[str], None]
) -> Convention:
    """Return what input and output of an artifact mean: as the manifest, the user or the file itself says."""
    if found is not None and given is not None and str(given) != str(found.convention):
        raise UsageError(f"{session.path}: its manifest says {found.convention}; leave out {OPTION}")
    if session.convention.layout == Layout.VALUES and found is None:
        if given is not None:
            raise UsageError(f"{session.path}: takes rows of values, and {OPTION} is about pixels; leave it out")
        return session.convention
    if said := inputs.said_of(session, given):
        return said
    spec = session.input
    if np.dtype(spec.dtype).kind in "iu":
        steps = "" if spec.scale is None else f" (scale {spec.scale:.4g}, zero point {spec.zero_point})"
        plainly = f"; {bytes_of(spec)} hands over the bytes of pixels as they are" if spec.scale else ""
        raise UsageError(
            f"{session.path}: takes {spec.dtype}{steps}, which can stand for pixels in any range; "
            f"give {OPTION}, such as 0..1, 0..255 or -1..1{plainly}"
        )
    warn(f"{session.path}: no manifest says in which range it takes pixels; 0..1 is assumed ({OPTION})")
    return session.convention


def _predict_rows(
    files: Sequence[Path], session: Predictor, found: Manifest | None, labels: Sequence[str] | None
) -> list[Prediction | Refused]:
    """Return the prediction for each row of the files; a file that cannot be read is refused as a whole."""
    how = found.data.reading if found else AS_THEY_ARE
    predictions: list[Prediction | Refused] = []
    for file in files:
        try:
            names, rows = data.rows_of(file, how, session.convention.row_shape(session.input.shape))
        except DataError as error:
            predictions.append(Refused(str(file), str(error)))
            continue
        classes, outputs = classify(session, found, rows, labels)
        predictions += [_prediction(name, classes, row, None, None) for name, row in zip(names, outputs, strict=True)]
    return predictions


def form_of(session: Predictor, found: Manifest | None, *, images: int = 1) -> Form:
    """Return what an artifact takes; ArtifactError for what is no image, or is too large for so many images."""
    model, shape = session.path, session.convention.row_shape(session.input.shape)
    sizes = [size for size in shape if size is not None]
    is_values = session.convention.layout == Layout.VALUES
    if is_values or len(sizes) != 3 or sizes[2] not in (1, 3):
        raise ArtifactError(
            f"{model}: takes {'values ' if is_values else ''}{shape}; allowed: (height, width, 1 or 3) images"
        )
    height, width, channels = sizes
    # Its pixels, and as float32: the scaled ones of a batch, and those of all images beside.
    check_memory(images * height * width * channels * 5, what=f"{model}: its input {shape}", error=ArtifactError)
    learned_from, read_as = _learned_from(model, found)
    digits = channels == 1 and learned_from in (None, *DIGITS)
    # As the images that it has learned from were, if they were not of one size.
    return Form(height, width, channels, digits, read_as.resize or "fit")


def _predict(
    files: Sequence[Path],
    session: Predictor,
    found: Manifest | None,
    labels: Sequence[str] | None,
    *,
    every_digit: bool,
    explain: Path | None,
) -> list[Prediction | Refused]:
    form = form_of(session, found, images=len(files))
    prepared = []
    for file in files:
        one = prepare(file, form)
        if len(one.views) > 1 and not every_digit:
            several = f"{file}: {units.count(len(one.views), 'digit')} in one image; --all reads each of them"
            one = replace(one, views=(), refusal=several)
        prepared.append(one if explain else replace(one, pixels=None, page=None))
    views = [view for one in prepared for view in one.views]
    pixels = np.stack([view.pixels for view in views]) if views else np.empty((0, 0, 0, 0), np.uint8)
    names, rows = classify(session, found, pixels, labels) if views else ((), np.empty((0, 0), np.float32))
    if explain is not None:
        _explain(prepared[0], names, rows, explain)
    left = iter(zip(rows, novelty.judge(found, pixels, rows), strict=True))
    predictions: list[Prediction | Refused] = []
    for one in prepared:
        if one.refusal is not None:
            predictions.append(Refused(str(one.file), one.refusal))
        predictions += [_prediction(str(one.file), names, *next(left), view.box) for view in one.views]
    return predictions


def _learned_from(model: Path, found: Manifest | None) -> tuple[str | None, Reading]:
    """Return the name of the data that a model has learned from, None if nobody says, and how they were read."""
    if found is not None:
        return found.data.name, found.data.reading
    run = runs.folder_of(model)
    return (None, AS_THEY_ARE) if run is None else (runs.read_config(run)["data"]["name"], runs.reading_of(run))


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
        reads.append(Read(_flat(view.pixels), [names[label] for label in order], row[order].tolist()))
    picture = draw(_flat(image.pixels), image.page, reads, refusal=image.refusal)
    with atomic(path) as temporary:
        picture.save(temporary)


def _flat(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W) for (H, W, 1) pixels."""
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def classify(
    session: Predictor, found: Manifest | None, rows: NDArray[Any], labels: Sequence[str] | None = None
) -> tuple[Sequence[str], NDArray[np.float32]]:
    """Return the names of the classes, and their probabilities for each row, (N, classes).

    labels: the names where no manifest has them; without, they are numbers.
    """
    model, outputs = session.path, session.predict(rows)
    if outputs.ndim != 2 or not outputs.shape[1]:
        raise ArtifactError(f"{model}: its output is {outputs.shape}; a classifier's is (batch, classes)")
    checks.require_finite(outputs, path=model)
    outputs = _probabilities(outputs, rows, session)
    names = found.data.classes if found else labels or [str(label) for label in range(outputs.shape[1])]
    if len(names) != outputs.shape[1]:
        raise ArtifactError(f"{model}: tells {outputs.shape[1]} classes apart, {len(names)} are named")
    return names, outputs


def _probabilities(outputs: NDArray[np.float32], rows: NDArray[Any], session: Predictor) -> NDArray[np.float32]:
    """Return (N, classes) probabilities. What the outputs are is judged by themselves where nobody has said it.

    The logits of a few images may all be from 0 to 1, as probabilities are, so those of patterns are looked at as well.
    rows: what was answered.
    """
    convention = session.convention
    if convention.output is None:
        judged = outputs
        if rows.dtype == np.uint8:
            others = session.predict(_patterns(rows.shape[1:]))
            judged = np.concatenate([outputs, others[np.isfinite(others).all(axis=1)]])
        convention = replace(convention, output=output_of(judged, step=session.output.scale))
        if outputs.shape[1] == 1 and convention.output == Output.LOGITS:
            raise ArtifactError(f"{session.path}: answers with one number, which is no probability: not a classifier")
    return convention.probabilities(convention.answers(outputs))


def _patterns(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return images of one shade each, and of noise: (N, H, W, C)."""
    shades = np.linspace(0, 255, PATTERNS).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (PATTERNS, *shape)).astype(np.uint8)
    return np.concatenate([np.broadcast_to(shades[:, None, None, None], noise.shape), noise])


def prepare(file: Path, form: Form) -> Image:
    """Return an image with what the model is to see of it, the whole or each digit in it, or why that is nothing."""
    try:
        photo = images.look(file)
        pixels = images.read(file, channels=form.channels, enough=ENOUGH if form.digits else None)
    except DataError as error:
        return Image(file, refusal=str(error))
    height, width = form.height, form.width
    if not form.digits:
        return Image(file, pixels, views=[View(images.resize(pixels, height=height, width=width, how=form.how))])
    grey = pixels[..., 0]
    if is_mnist(grey, height=height, width=width):
        return Image(file, pixels, views=[View(pixels)])
    if (drawing := of_canvas(grey, height=height, width=width)) is not None:
        return Image(file, pixels, views=[View(to_form(drawing, height=height, width=width)[..., np.newaxis])])
    page = find(grey, photo=(photo.height, photo.width))
    if page.refusal is not None:
        return Image(file, pixels, page, refusal=f"{file}: {page.refusal}")
    forms = [to_form(digit.ink, height=height, width=width)[..., np.newaxis] for digit in page.digits]
    return Image(file, pixels, page, [View(form, digit.box) for form, digit in zip(forms, page.digits, strict=True)])
