"""The recipe of a training: all that decides its weights, besides the data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from toolkit import models, units
from toolkit.errors import UsageError
from toolkit.files import documents
from toolkit.files.documents import LATER
from toolkit.models import ACTIVATIONS
from toolkit.training import augmentation
from toolkit.training.schedule import SCHEDULES

# Keras' own default learning rates of the two optimizers.
LEARNING_RATES = {"adam": 0.001, "sgd": 0.01}
LOSSES = ("categorical_crossentropy", "mse", "binary_crossentropy")
MONITORS = ("val_loss", "val_accuracy", "loss", "accuracy")
PRECISIONS = ("float32", "mixed")
# The most epochs, rows of a step, and epochs of patience that may be asked for: more is a slip.
MOST = 1_000_000
# A network without weights to start from learns with rounding in one of so many epochs, the last ones.
ROUNDING_SHARE = 5
# Temperatures. The paper of distillation (``Objective``) tries 1 to 20. Far above, all answers are alike, and the
# square of the temperature makes rounding errors large; far below, logits that are divided by it overflow.
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.1, 100.0
# The greatest learning rate: the largest that are known to train anything are about 3 (Smith and Topin,
# "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2018).
MOST_LEARNING_RATE = 10.0


class RecipeOptions(TypedDict, total=False):
    """The fields of a Recipe besides the model, as options of a call."""

    optimizer: str
    learning_rate: float
    activation: str
    loss: str
    epochs: int
    batch_size: int
    validation_split: float
    monitor: str
    seed: int
    precision: str
    augment: str | None
    patience: int | None
    schedule: str
    balance: bool
    freeze_until: str | None
    input_range: str | None
    warmup: int
    average: float | None
    label_smoothing: float
    teacher: str | None
    temperature: float
    teacher_weight: float
    qat: bool


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A checked recipe; UsageError names what is allowed. ``learning_rate`` 0 stands for the optimizer's default.

    model: what ``models.check`` takes: a member of toolkit/models, as ``tiny:width=8``, or the path of a Python file or
    a ``.keras`` file. batch_size: rows of a step. validation_split: share of the training rows that validates. monitor:
    what the best epoch is chosen by. augment: what ``augmentation.canonical`` takes. patience: epochs without a better
    monitored value after which training stops. schedule: of the learning rate. balance: whether every class counts the
    same in the loss, however many images it has. freeze_until: the last layer of a ``.keras`` file that keeps its
    weights. input_range: which values the pixels become for a model of the user's own; None stands for what the model
    says, else ``0..1``. warmup: epochs in which the learning rate rises to its value. average: decay of the average of
    the weights, None for no average. label_smoothing: the share of a label that all classes get. teacher: a run or a
    ``.keras`` file whose answers are learned too, compared at the temperature; they count teacher_weight, and the
    labels the rest. qat: whether the network learns, in the end, with the rounding of integer kernels
    (quantization-aware training).
    """

    model: str = "cnn"
    optimizer: str = "adam"
    learning_rate: float = 0.0
    activation: str = "relu"
    loss: str = "categorical_crossentropy"
    epochs: int = 100
    batch_size: int = 64
    validation_split: float = 0.2
    monitor: str = "val_loss"
    seed: int = 0
    precision: str = "float32"
    augment: str | None = field(default=None, metadata=LATER)
    patience: int | None = field(default=None, metadata=LATER)
    schedule: str = field(default="constant", metadata=LATER)
    balance: bool = field(default=False, metadata=LATER)
    freeze_until: str | None = field(default=None, metadata=LATER)
    input_range: str | None = field(default=None, metadata=LATER)
    warmup: int = field(default=0, metadata=LATER)
    average: float | None = field(default=None, metadata=LATER)
    label_smoothing: float = field(default=0.0, metadata=LATER)
    teacher: str | None = field(default=None, metadata=LATER)
    temperature: float = field(default=4.0, metadata=LATER)
    teacher_weight: float = field(default=0.9, metadata=LATER)
    qat: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", models.check(self.model))
        allowed = {
            "optimizer": tuple(LEARNING_RATES),
            "activation": ACTIVATIONS,
            "loss": LOSSES,
            "monitor": MONITORS,
            "precision": PRECISIONS,
            "schedule": SCHEDULES,
        }
        for name, choices in allowed.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"unknown {name} '{getattr(self, name)}'; allowed: {', '.join(choices)}")
        if self.learning_rate == 0:
            object.__setattr__(self, "learning_rate", LEARNING_RATES[self.optimizer])
        if not 0 < self.learning_rate <= MOST_LEARNING_RATE:
            raise UsageError(
                f"the learning rate is {self.learning_rate}; it must be above 0 and at most {MOST_LEARNING_RATE:g}"
            )
        units.require_from("the number of epochs", self.epochs, 1, MOST)
        units.require_from("the batch size", self.batch_size, 1, MOST)
        units.require_from("the seed", self.seed, 0, 2**32 - 1)
        if not 0 <= self.validation_split < 1:
            raise UsageError(f"the validation split is {self.validation_split}; it must be from 0 to below 1")
        if self.validation_split == 0 and self.monitor.startswith("val_"):
            raise UsageError(f"without validation rows nothing is known of {self.monitor}; use --monitor loss")
        if self.patience is not None:
            units.require_from("the patience, in epochs,", self.patience, 1, MOST)
        if self.augment is not None:
            object.__setattr__(self, "augment", augmentation.canonical(self.augment))
        self._check_start()
        self._check_rounding()
        self._check_targets()
        if not 0 <= self.warmup < self.epochs:
            raise UsageError(
                f"the warm-up takes {self.warmup} of {units.count(self.epochs, 'epoch')}; it must be at least 0, "
                "and end before the training"
            )
        if self.average is not None and not 0 < self.average < 1:
            raise UsageError(
                f"the decay of the average is {self.average}; it must be above 0 and below 1, such as 0.999"
            )

    def _check_targets(self) -> None:
        """Raise UsageError for what cannot be learned from."""
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(
                f"the label smoothing is {self.label_smoothing}; it must be from 0 to below 1, such as 0.1"
            )
        if self.loss != Recipe.loss and (self.label_smoothing or self.teacher is not None):
            option = "--teacher" if self.teacher is not None else "--label-smoothing"
            raise UsageError(f"{option} is for the loss {Recipe.loss}; leave out --loss {self.loss}")
        if not LEAST_TEMPERATURE <= self.temperature <= MOST_TEMPERATURE:
            raise UsageError(
                f"the temperature is {self.temperature}; it must be from {LEAST_TEMPERATURE:g} to "
                f"{MOST_TEMPERATURE:g}, such as {Recipe.temperature:g}"
            )
        if not 0 < self.teacher_weight <= 1:
            raise UsageError(f"the weight of the teacher is {self.teacher_weight}; it must be above 0, and at most 1")
        if self.teacher is None:
            for name in ("temperature", "teacher_weight"):
                if getattr(self, name) != getattr(Recipe, name):
                    flag = f"--{name.replace('_', '-')}"
                    raise UsageError(f"{flag} is of a teacher; name a run or a .keras file by --teacher")

    def _check_rounding(self) -> None:
        """Raise UsageError for a recipe that leaves nothing to learn in float, or rounds what is not float32."""
        if self.qat and self.precision != "float32":
            raise UsageError(
                f"--qat computes in float32, --precision {self.precision} cannot change that; leave it out"
            )
        if self.qat and self.epochs == self.rounding_epochs and not models.weights_files(self.model):
            raise UsageError(
                "--qat first trains in float: --epochs must be at least 2, or --model a trained .keras file"
            )

    def _check_start(self) -> None:
        """Raise UsageError for what has no meaning for the kind of model that training starts from."""
        if self.input_range is not None:
            self._check_range(self.input_range)
        if not models.weights_files(self.model):
            if self.freeze_until is not None:
                raise UsageError(
                    f"the model '{self.model}' has no weights yet that --freeze-until could keep; give a trained model "
                    f"by --model FILE{models.WEIGHTS_SUFFIX}"
                )
            return
        own = {"activation": Recipe.activation, "precision": Recipe.precision}
        for name, default in own.items():
            if getattr(self, name) != default:
                raise UsageError(
                    f"{self.model} brings its layers as they are, --{name} {getattr(self, name)} cannot change them; "
                    "leave it out"
                )

    def _check_range(self, text: str) -> None:
        """Raise UsageError if it is no range of pixels, or the model is none of the user's own."""
        from toolkit.convention import OPTION, parse  # numpy, which the help of the command line does without

        parse(text)
        if not models.own_files(self.model):
            raise UsageError(f"{OPTION} is for a model of your own, the model '{self.model}' takes 0..1; leave it out")

    @property
    def model_name(self) -> str:
        """What the model, its runs and its artifacts are called."""
        return models.name_of(self.model)

    @property
    def code_files(self) -> tuple[Path, ...]:
        """The Python file of the model, if it is the user's own; it is run."""
        return models.code_files(self.model)

    @property
    def monitor_sign(self) -> int:
        """1 where a higher monitored value is better, -1 where a lower one is (Keras' mode ``auto``)."""
        return 1 if self.monitor.endswith("accuracy") else -1

    @property
    def rounding_epochs(self) -> int:
        """How many epochs the network learns with rounding, if it does: all, if it has weights to start from."""
        return self.epochs if models.weights_files(self.model) else max(1, self.epochs // ROUNDING_SHARE)

    @property
    def additions(self) -> tuple[str, ...]:
        """What it asks for beyond the plain training, a few words each."""
        asked = {
            f"layers frozen up to {self.freeze_until}": self.freeze_until is not None,
            f"augmented by {(self.augment or '').replace(',', ', ')}": self.augment is not None,
            "balanced classes": self.balance,
            f"{self.schedule} schedule": self.schedule != "constant",
            f"quantization-aware for {units.count(self.rounding_epochs, 'epoch')}": self.qat,
            f"patience of {units.count(self.patience or 0, 'epoch')}": self.patience is not None,
            f"warm-up of {units.count(self.warmup, 'epoch')}": self.warmup > 0,
            f"weights averaged with decay {self.average}": self.average is not None,
            f"labels smoothed by {self.label_smoothing:g}": self.label_smoothing > 0,
            f"taught by {Path(self.teacher or '').name} (weight {self.teacher_weight:g}, "
            f"temperature {self.temperature:g})": self.teacher is not None,
        }
        return tuple(words for words, is_asked in asked.items() if is_asked)

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` and manifests hold; of a file of the user's, its name alone."""
        files = {"model": self.model, "teacher": self.teacher}
        return {
            **documents.to_tree(self),
            **{name: Path(file).name for name, file in files.items() if file is not None},
        }
