"""Classify image files with one artifact."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import images, manifest, runtimes
from toolkit.convention import OPTION, Convention, Output, output_of
from toolkit.errors import ArtifactError, DataError, UsageError
from toolkit.files.memory import check_memory
from toolkit.manifest import MANIFEST, Manifest
from toolkit.parity import checks, recorded
from toolkit.reading import Resize
from toolkit.runtimes.base import Predictor
from toolkit.verdict import Verdict
from toolkit.worker.session import contained

# Data sets of handwritten digits: photos are brought to their form. Others are only scaled.
DIGITS = ("mnist", "sample")


@dataclass(frozen=True)
class Prediction:
    """The two likeliest classes of one image, the likeliest first."""

    image: str
    classes: tuple[str, str]
    probabilities: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Return the result of ``toolkit predict --json``."""
        return {
            "image": self.image,
            "class": self.classes[0],
            "probability": self.probabilities[0],
            "runner_up": self.classes[1],
            "runner_up_probability": self.probabilities[1],
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

    Artifacts that were not verified come last, those that failed never, nor those that answer otherwise here than where
    they were exported. ArtifactError where none is left.
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
            warn(f"{file} is left out, it answers otherwise here than where it was exported: {why}")
    none = (
        "all artifacts there answer otherwise here than recorded"
        if choices
        else "no artifact there that an installed runtime runs"
    )
    raise ArtifactError(f"{folder}: {none}; name one by --model")


def predict(
    files: Sequence[Path], model: Path, *, given: Convention | None = None, warn: Callable[[str], None]
) -> list[Prediction | Refused]:
    """Return the prediction for each image file, or why there is none; ArtifactError where the model makes none.

    given: the range of its pixels, as the user has it. UsageError where it is needed, or where a manifest says another.
    """
    found = manifest.listing(model)
    with contained() as workers:
        session = workers.open_session(model)
        session.convention = _convention(session, found, given, warn)
        return _predict(files, session, found)


def _convention(
    session: Predictor, found: Manifest | None, given: Convention | None, warn: Callable[[str], None]
) -> Convention:
    """Return what input and output of an artifact mean: as the manifest, the user or the file itself says."""
    if found is not None:
        if given is not None and str(given) != str(found.convention):
            raise UsageError(f"{session.path}: its manifest says {found.convention}; leave out {OPTION}")
        return found.convention
    if given is not None:
        return replace(given, layout=session.convention.layout)
    if session.declared is None:
        spec = session.input
        if np.dtype(spec.dtype).kind in "iu":
            steps = "" if spec.scale is None else f" (scale {spec.scale:.4g}, zero point {spec.zero_point})"
            raise UsageError(
                f"{session.path}: takes {spec.dtype}{steps}, which can stand for pixels in any range; "
                f"give {OPTION}, such as 0..1, 0..255 or -1..1"
            )
        warn(f"{session.path}: no manifest says in which range it takes pixels; 0..1 is assumed ({OPTION})")
    return session.convention


def _predict(files: Sequence[Path], session: Predictor, found: Manifest | None) -> list[Prediction | Refused]:
    model, shape = session.path, session.convention.image_shape(session.input.shape)
    sizes = [size for size in shape if size is not None]
    if len(sizes) != 3 or sizes[2] not in (1, 3):
        raise ArtifactError(f"{model}: takes {shape}; allowed: (height, width, 1 or 3) images")
    height, width, channels = sizes
    # Its pixels, and as float32: the scaled ones of a batch, and those of all images beside.
    check_memory(len(files) * height * width * channels * 5, what=f"{model}: its input {shape}", error=ArtifactError)
    digits = channels == 1 and (found is None or found.data.name in DIGITS)
    # As the images that it has learned from were, where they were not of one size.
    how = (found.data.reading.resize if found else None) or "fit"
    prepared: list[NDArray[np.uint8] | Refused] = []
    for file in files:
        try:
            prepared.append(_prepare(file, height, width, channels, digits=digits, how=how))
        except DataError as error:
            prepared.append(Refused(str(file), str(error)))
    pixels = [one for one in prepared if not isinstance(one, Refused)]
    rows = iter(_classify(session, found, np.stack(pixels)) if pixels else ())
    return [
        one if isinstance(one, Refused) else Prediction(str(file), *next(rows))
        for file, one in zip(files, prepared, strict=True)
    ]


def _classify(
    session: Predictor, found: Manifest | None, pixels: NDArray[np.uint8]
) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """Yield the two likeliest classes of each image with their probabilities."""
    model, outputs = session.path, session.predict(pixels)
    if outputs.ndim != 2 or not outputs.shape[1]:
        raise ArtifactError(f"{model}: its output is {outputs.shape}; a classifier's is (batch, classes)")
    checks.require_finite(outputs, path=model)
    outputs = _probabilities(outputs, session)
    names = found.data.classes if found else [str(label) for label in range(outputs.shape[1])]
    if len(names) != outputs.shape[1]:
        raise ArtifactError(f"{model}: tells {outputs.shape[1]} classes apart, its manifest names {len(names)}")
    order = np.argsort(-outputs, axis=1)
    for row, (first, second) in zip(outputs, order[:, :2], strict=True):
        yield (names[first], names[second]), (float(row[first]), float(row[second]))


def _probabilities(outputs: NDArray[np.float32], session: Predictor) -> NDArray[np.float32]:
    """Return (N, classes) probabilities; what the outputs are is judged by themselves where nobody has said it."""
    convention = session.convention
    if convention.output is None:
        convention = replace(convention, output=output_of(outputs, step=session.output.scale))
        if outputs.shape[1] == 1 and convention.output == Output.LOGITS:
            raise ArtifactError(f"{session.path}: answers with one number, which is no probability: not a classifier")
    return convention.probabilities(convention.answers(outputs))


def _prepare(file: Path, height: int, width: int, channels: int, *, digits: bool, how: Resize) -> NDArray[np.uint8]:
    pixels = images.read(file, channels=channels)
    if digits:
        return images.to_digit(pixels, height=height, width=width, what=str(file))
    return images.resize(pixels, height=height, width=width, how=how)
