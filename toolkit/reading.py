"""How the files of a data set are read, where there is a choice: what a user asks for, and runs record."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.files import documents
from toolkit.files.documents import LATER

Resize = Literal["fit", "crop", "stretch"]
RESIZES: tuple[Resize, ...] = get_args(Resize)
# What the arrays of a .npz file stand for. Validation arrays may be absent.
TRAINING_KEYS = ("x_train", "y_train")
TEST_KEYS = ("x_test", "y_test")
VALIDATION_KEYS = ("x_val", "y_val")
# What else can be said of data: which column of a table has the classes, and what the numbers of a .npz file are.
LABEL, KIND = "label", "kind"
_KEYS = (*TRAINING_KEYS, *TEST_KEYS, *VALIDATION_KEYS, LABEL, KIND)
# The kinds.
IMAGES, VALUES = "images", "values"
# Pixels of the longest side that an image is brought to.
LONGEST_SIDE = 10_000
# Rows of a recording, or samples of a sound, that a model sees at a time: twenty seconds of music.
LONGEST_WINDOW = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Spectrogram:
    """How a sound becomes a log-mel spectrogram: ``rate`` samples a second, of which each ``hop`` begins a ``frame``.

    mels: bands.
    """

    rate: int
    frame: int
    hop: int
    mels: int

    def __post_init__(self) -> None:
        if not (self.hop >= 1 and 2 <= self.frame <= LONGEST_WINDOW and 1 <= self.mels <= self.frame <= self.rate):
            raise UsageError(f"{self} is no way to make a spectrogram")


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How far apart the rows of recordings are: ``step``, in the unit of the ``column`` that says when."""

    column: str
    step: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was asked for, or was done; UsageError names what is allowed.

    image_size: (height, width) that images of other sizes are brought to; None stands for the most common. resize: how;
    None stands for ``fit``, the aspect kept and padded; ``crop`` keeps it and cuts off what is over; ``stretch`` does
    not keep it. skip_unreadable: leave out image files that cannot be read. keys: the names of the arrays of a .npz
    file, by what they stand for: ``{"x_train": "images"}``, and the column of a table's labels,
    ``{"label": "species"}``. columns: those of a table that are values, in the order in which a model takes them.
    window: rows of a recording, or samples of a sound, that a model sees at a time. stride: rows from one window to the
    next; None stands for ``window``. clock: of recordings. spectrogram: what becomes of a sound.
    model_shape: (H, W, C) that a model takes; photos are brought to its size if none is asked for, and to its channels.
    Of photos that were read it is recorded where their own channels are others.
    """

    image_size: tuple[int, int] | None = field(default=None, metadata=LATER)
    resize: Resize | None = field(default=None, metadata=LATER)
    skip_unreadable: bool = field(default=False, metadata=LATER)
    keys: Mapping[str, str] | None = field(default=None, metadata=LATER)
    columns: tuple[str, ...] | None = field(default=None, metadata=LATER)
    window: int | None = field(default=None, metadata=LATER)
    stride: int | None = field(default=None, metadata=LATER)
    clock: Clock | None = field(default=None, metadata=LATER)
    spectrogram: Spectrogram | None = field(default=None, metadata=LATER)
    model_shape: tuple[int, int, int] | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        if self.image_size is not None and not all(1 <= side <= LONGEST_SIDE for side in self.image_size):
            raise UsageError(f"the image size is {self.image_size}; allowed: 1 to {LONGEST_SIDE:,} pixels a side")
        for name, size in (("window", self.window), ("stride", self.stride)):
            if size is not None and not 1 <= size <= LONGEST_WINDOW:
                raise UsageError(f"the {name} is {size}; allowed: 1 to {LONGEST_WINDOW:,}")
        if self.resize not in (None, *RESIZES):
            raise UsageError(f"unknown resize '{self.resize}'; allowed: {', '.join(RESIZES)}")
        if unknown := sorted((self.keys or {}).keys() - {*_KEYS}):
            raise UsageError(f"an array cannot stand for '{unknown[0]}'; allowed: {', '.join(_KEYS)}")
        if (kind := (self.keys or {}).get(KIND, VALUES)) not in (IMAGES, VALUES):
            raise UsageError(f"there is no kind '{kind}'; allowed: {IMAGES}, {VALUES}")

    @property
    def files(self) -> str:
        """What kind of file has rows of values that were read like this: ``values`` stands for arrays, as they are."""
        kinds = {"sound": self.spectrogram, "recordings": self.stride, "table": self.columns}
        return next((kind for kind, says in kinds.items() if says), "values")

    @property
    def asked(self) -> dict[str, Any]:
        """The fields that are not what they are by default."""
        default = Reading()
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "model_shape"}
        return {name: value for name, value in values.items() if value != getattr(default, name)}

    @property
    def words(self) -> tuple[str, ...]:
        """The options of the command line that ask for it."""
        height, width = self.image_size or (0, 0)
        keys = ",".join(f"{meaning}={name}" for meaning, name in (self.keys or {}).items())
        given = {
            "--image-size": f"{height}x{width}" if self.image_size else None,
            "--resize": self.resize,
            "--keys": keys or None,
            "--window": self.window,
            "--stride": self.stride,
        }
        words = [word for option, value in given.items() if value is not None for word in (option, str(value))]
        return (*words, *(["--skip-unreadable"] if self.skip_unreadable else []))

    def only(self, allowed: tuple[str, ...]) -> "Reading":
        """Return what of this has a meaning for a source of data."""
        shape = self.model_shape if "image_size" in allowed else None
        dropped = {name: getattr(AS_THEY_ARE, name) for name in self.asked if name not in allowed}
        return replace(self, model_shape=shape, **dropped)

    def require_only(self, allowed: tuple[str, ...], *, what: str) -> None:
        """Raise DataError if something is asked for that has no meaning for this source of data."""
        for name in self.asked:
            if name not in allowed:
                raise DataError(f"{what}: --{name.replace('_', '-')} has no meaning there; leave it out")

    def require_keys(self, allowed: tuple[str, ...], *, what: str) -> None:
        """Raise DataError if keys are given that have no meaning for this source of data."""
        if strange := sorted((self.keys or {}).keys() - {*allowed}):
            raise DataError(f"{what}: --keys {strange[0]}=… has no meaning there; allowed: {', '.join(allowed)}")

    def to_json(self) -> dict[str, Any]:
        """Return the document that runs and manifests hold."""
        document: dict[str, Any] = documents.to_tree(self)
        return document


# Nothing was asked for.
AS_THEY_ARE = Reading()


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) of ``HxW``, as ``--image-size`` takes it."""
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isascii() and height.isdigit() and width.isascii() and width.isdigit() and len(text) < 20):
        raise UsageError(f"'{text}' is no image size; give height and width, for example 96x128")
    return int(height), int(width)


def parse_keys(text: str) -> dict[str, str]:
    """Return the names of arrays by what they stand for, of ``x_train=images,y_train=labels``, as ``--keys`` takes it.

    UsageError for what is no such list.
    """
    pairs = [part.partition("=") for part in text.split(",")]
    keys = {meaning.strip(): name.strip() for meaning, _, name in pairs}
    if not all(equals and meaning.strip() and name.strip() for meaning, equals, name in pairs):
        raise UsageError(f"'{text}' names no arrays; give for example x_train=images,y_train=labels")
    if len(keys) < len(pairs):
        raise UsageError(f"'{text}' names two arrays for one; give each once")
    return keys


def from_json(document: dict[str, Any], where: Path, *, error: type[ToolkitError]) -> Reading:
    """Return what a run or a manifest recorded; ``error``, naming ``where``, where it is none."""
    return documents.convert(document, Reading, where, what="how data are read", error=error)
