"""The step between export and bench: is it still the model that was trained?"""

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import drawing
from toolkit.api.base import EXPORTED, loading
from toolkit.errors import UsageError, warn
from toolkit.parity.statistics import DEFAULT_MARGIN_PP
from toolkit.step import OnStep, ignore

if TYPE_CHECKING:
    from toolkit.parity.result import Parity
    from toolkit.reading import Reading


def verify(
    *paths: str | PathLike[str],
    data: str | PathLike[str] | None = None,
    golden: bool = False,
    reading: "Reading | None" = None,
    margin_pp: float = DEFAULT_MARGIN_PP,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    allow_overlap: bool = False,
    save: bool = False,
    flips: str | PathLike[str] | None = None,
    runtime: str | None = None,
    on_step: OnStep = ignore,
) -> "Parity":
    """Compare artifacts with the Keras model that they were made from, image by image; true if all passed.

    paths: artifacts or folders of them; none stands for ``exported/``. data: whose test images are used, by name or
    path, as ``--data`` takes it; None stands for what the model was trained on. golden: compare with the recorded
    outputs instead, which takes neither TensorFlow nor data and measures no accuracy. margin_pp: accuracy that may be
    lost, in percentage points. imports, unsafe_lambda: as for ``export``. allow_overlap: go on where the model has
    learned from test images. save: write a parity record beside each manifest, and the results into it. flips: a .png
    or .svg file to draw the images into that an artifact classifies differently. runtime: what runs the artifacts, and
    no others than its own; None stands for what does so by itself.

    ``.comparisons`` has one for each artifact, ``.verdict`` is ``pass``, ``fail`` or ``inconclusive`` (too few images
    to tell), ``.records`` are the files that were saved, ``.to_json()`` is the document of ``toolkit verify --json``. A
    damaged artifact fails, with its ``problem``. Raises ArtifactError for a manifest or Keras model that is missing or
    damaged, DataError for data that cannot be had or overlap, UsageError for options that contradict each other.
    """
    from toolkit.parity import record
    from toolkit.parity.verify import VerifyOptions, verify_all
    from toolkit.runtimes import choosing
    from toolkit.runtimes.keras.loading import allowing

    if golden and save:
        raise UsageError("results by golden measure no accuracy and are not saved; leave out --golden or --save")
    if runtime is not None and save:
        raise UsageError("--save is of what runs a file by itself; leave out --runtime, or --save")
    options = VerifyOptions(
        None if data is None else fspath(data),
        by_golden=golden,
        margin_pp=margin_pp,
        allow_overlap=allow_overlap,
        reading=reading,
    )
    draw = _drawing(flips)
    with choosing(runtime), allowing(imports, unsafe_lambda=unsafe_lambda):
        parity = verify_all([Path(path) for path in paths] or [EXPORTED], options, warn=warn, on_step=on_step)
    draw(parity)
    return record.save_all(parity) if save else parity


def verify_against(
    reference: str | PathLike[str],
    *paths: str | PathLike[str],
    data: str | PathLike[str],
    input_range: str | None = None,
    reading: "Reading | None" = None,
    margin_pp: float = DEFAULT_MARGIN_PP,
    allow_overlap: bool = False,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    flips: str | PathLike[str] | None = None,
    on_step: OnStep = ignore,
) -> "Parity":
    """Compare files, anybody's, with another model by their accuracy alone; true if all passed.

    reference: the model, a file of any format. paths: files, or folders of them. data: whose test images are used.
    input_range: which values the pixels become for files without a manifest, as ``--input-range`` takes it; None stands
    for what gets most training images right. The rest is as in ``verify``, and so are the result and the errors.
    """
    from toolkit.convention import parse
    from toolkit.parity import against
    from toolkit.runtimes.keras.loading import allowing

    draw = _drawing(flips)
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        parity = against.verify_against(
            [Path(path) for path in paths],
            Path(reference),
            loading(data, reading),
            given=None if input_range is None else parse(input_range),
            margin_pp=margin_pp,
            allow_overlap=allow_overlap,
            warn=warn,
            on_step=on_step,
        )
    draw(parity)
    return parity


def _drawing(path: str | PathLike[str] | None) -> Callable[["Parity"], object]:
    """Return a function that draws flips into the file; its name is checked at once. For None, it does nothing."""
    from toolkit.parity.flips import draw

    if path is None:
        return lambda parity: None
    drawing.check(Path(path))
    return lambda parity: draw(Path(path), parity.parts)
