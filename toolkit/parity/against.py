"""Compare any artifacts with any other model, by accuracy on a test set: no manifest is needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.convention import Convention, Output, image_shape
from toolkit.data.base import Dataset, Split
from toolkit.data.base.pixels import chunks
from toolkit.errors import DataError, UsageError
from toolkit.files import require_file
from toolkit.manifest import TensorSpec
from toolkit.parity import checks, inputs, leaks
from toolkit.parity.compare import Comparison, compare_file
from toolkit.parity.material import Material, material
from toolkit.parity.result import Parity, Verified
from toolkit.parity.statistics import DEFAULT_MARGIN_PP, MARGINS_PP
from toolkit.runtimes.base import Predictor
from toolkit.step import OnStep, Step, ignore
from toolkit.worker.session import contained

# Gives a data set whose photos are brought to (H, W, C) that a model takes; None stands for any.
Load = Callable[[tuple[int, int, int] | None], Dataset]
# Models may answer with logits and with probabilities: they are compared by what those stand for.
_PROBABILITIES, _SIGMOIDS = Convention(output=Output.PROBABILITIES), Convention(output=Output.SIGMOIDS)


@dataclass(frozen=True)
class Classifier:
    """A model in a worker, and what its input and output mean."""

    session: Predictor
    convention: Convention

    def answer(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return probabilities (N, classes) for rows of data."""
        outputs = self.session.predict(images)
        checks.require_finite(outputs, path=self.session.path)
        return self.convention.probabilities(outputs)

    @property
    def output(self) -> TensorSpec:
        """The output; a softmax has no steps of quantization."""
        output = self.session.output
        return output if self.convention.output != Output.LOGITS else replace(output, scale=None, zero_point=None)


def verify_against(
    paths: Sequence[Path],
    reference: Path,
    load: Load,
    *,
    given: Convention | None = None,
    margin_pp: float = DEFAULT_MARGIN_PP,
    allow_overlap: bool = False,
    warn: Callable[[str], None],
    on_step: OnStep = ignore,
) -> Parity:
    """Compare files with the model ``reference`` on the test images of a data set, all of them in a worker.

    load: gives the data set, once the reference is open. given: the range of pixels, as the user has it, of
    files that no manifest lists. Which range a file takes is tried on training images. Raises ArtifactError if a file
    or the reference is missing or no classifier of these images, UsageError for a margin that is none, if no file is
    named or a range is clearly not the model's, DataError if the data have more classes than the reference, or if a
    model that a manifest lists has learned from test images, unless that is allowed.
    """
    units.require_from("the margin, in percentage points,", margin_pp, *MARGINS_PP)
    if not paths:
        raise UsageError(f"name the files to compare with {reference}")
    for path in (*paths, reference):
        require_file(path, missing="no such file; name the files to compare")
    with contained() as workers:
        session = workers.open_session(reference, threads=0)
        dataset = load(image_shape(session.input.shape))
        learned = leaks.check_files((*paths, reference), dataset, allowed=allow_overlap, warn=warn)
        expected = answered_by(classifier(session, given, dataset.train, warn), dataset.test)
        comparisons: list[Comparison] = []
        for number, path in enumerate(paths, 1):
            candidate = classifier(workers.open_session(path, threads=0), given, dataset.train, warn)
            comparisons.append(compare_file(path, expected, candidate.answer, candidate.output, margin_pp=margin_pp))
            on_step(Step(number, len(paths), str(path), comparisons[-1]))
    description = {**dataset.describe_test(), **learned}
    return Parity((Verified(description, comparisons, reference, None, dataset.class_names, expected),))


def answered_by(reference: Classifier, test: Split) -> Material:
    """Return what a model answers for the images of a test split; DataError if the data have more classes."""
    answers = np.concatenate([reference.answer(images) for images in chunks(test.images)])
    if answers.shape[1] <= int(test.labels.max()):
        raise DataError(f"{reference.session.path}: tells {answers.shape[1]} classes apart, the data have more")
    means = _SIGMOIDS if reference.convention.output == Output.SIGMOIDS else _PROBABILITIES
    return material(test.images, test.labels, answers, convention=means)


def classifier(
    session: Predictor, given: Convention | None, training: Split, warn: Callable[[str], None]
) -> Classifier:
    """Find out what the input and output of a model mean: what is said of them is tried, else what fits."""
    said = inputs.session_convention(session, given, training)
    convention = (
        inputs.check(session, said, training, path=session.path, warn=warn)
        if said
        else inputs.choose(session, training, path=session.path, warn=warn)
    )
    session.convention = convention
    return Classifier(session, convention)
