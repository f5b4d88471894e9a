"""``toolkit train``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from toolkit import api, units
from toolkit.cli.options import (
    OUTPUT,
    AllowOverlap,
    DataChoice,
    DeviceChoice,
    Epochs,
    InputRange,
    LoadingOptions,
    ModelChoice,
    Printer,
    ReadingOptions,
    RunName,
    TrainingSeed,
    given,
    option,
)
from toolkit.console import Column, Console
from toolkit.errors import INTERRUPTED
from toolkit.models import ACTIVATIONS
from toolkit.step import OnStep, Step
from toolkit.training.augmentation import KINDS
from toolkit.training.device import STRATEGIES
from toolkit.training.recipe import LEARNING_RATES, LOSSES, MONITORS, PRECISIONS, Recipe
from toolkit.training.schedule import PLATEAU_EPOCHS, SCHEDULES

if TYPE_CHECKING:
    from toolkit.training.fit import Started, Trained

    Activation = str
    Loss = str
    Monitor = str
    Optimizer = str
    Precision = str
    Schedule = str
    Strategy = str
else:  # Typer shows, completes and checks the values of a Literal.
    Activation, Loss, Monitor = Literal[ACTIVATIONS], Literal[LOSSES], Literal[MONITORS]
    Optimizer, Precision, Schedule = Literal[tuple(LEARNING_RATES)], Literal[PRECISIONS], Literal[SCHEDULES]
    Strategy = Literal[STRATEGIES]


_learning, _harder = partial(option, "How weights are learned"), partial(option, "If data are few or unbalanced")
_small = partial(option, "If the network is small")
_hardware = partial(option, "On which hardware")


@dataclass(frozen=True)
class LearningOptions:
    """What decides the weights, besides model and data: the fields of a recipe, with its defaults."""

    epochs: Epochs = Recipe.epochs
    seed: TrainingSeed = Recipe.seed
    optimizer: Annotated[Optimizer, _learning("The optimizer.")] = Recipe.optimizer
    learning_rate: Annotated[float, _learning("The learning rate; 0: 0.001 for adam, 0.01 for sgd.")] = (
        Recipe.learning_rate
    )
    activation: Annotated[Activation, _learning("The activation of hidden layers.")] = Recipe.activation
    loss: Annotated[Loss, _learning("The loss.")] = Recipe.loss
    batch_size: Annotated[int, _learning("Rows of one step.")] = Recipe.batch_size
    validation_split: Annotated[float, _learning("Share of the training rows for validation.")] = (
        Recipe.validation_split
    )
    monitor: Annotated[Monitor, _learning("What the best epoch is chosen by.")] = Recipe.monitor
    qat: Annotated[
        bool, _learning("Learn with the rounding of int8 kernels in the end (quantization-aware training).", "--qat")
    ] = Recipe.qat
    schedule: Annotated[
        Schedule,
        _harder(
            f"How the learning rate changes; plateau: halved after {PLATEAU_EPOCHS} epochs without a better --monitor."
        ),
    ] = Recipe.schedule
    patience: Annotated[
        int | None, _harder("Stop after so many epochs without a better --monitor; default: never.")
    ] = Recipe.patience
    augment: Annotated[
        str | None,
        _harder(
            f"Change training images at random: a comma list of {', '.join(KINDS)}, each with =STRENGTH or without."
        ),
    ] = Recipe.augment
    balance: Annotated[
        bool, _harder("Let every class count the same in the loss, however many images it has.", "--balance")
    ] = Recipe.balance
    freeze_until: Annotated[
        str | None, _harder("Of a .keras file: the layer up to which weights are kept and not trained.")
    ] = Recipe.freeze_until
    input_range: InputRange = Recipe.input_range
    warmup: Annotated[
        int, _small("Epochs in which the learning rate rises to its value, step by step; --schedule begins then.")
    ] = Recipe.warmup
    average: Annotated[
        float | None,
        _small(
            "Validate and keep a moving average of the weights, of this decay a step, such as 0.999; default: none."
        ),
    ] = Recipe.average
    label_smoothing: Annotated[float, _small("Share of each label that all classes get, such as 0.1.")] = (
        Recipe.label_smoothing
    )
    teacher: Annotated[
        str | None, _small("Learn the answers of a trained model too: a run, by name or folder, or a .keras file.")
    ] = Recipe.teacher
    temperature: Annotated[
        float, _small("At which answers are compared with the teacher's; higher: unlikely classes count more.")
    ] = Recipe.temperature
    teacher_weight: Annotated[float, _small("How much the teacher's answers count; the labels count the rest.")] = (
        Recipe.teacher_weight
    )
    precision: Annotated[Precision, _hardware("mixed: compute in bfloat16.")] = Recipe.precision


def command(
    *,
    context: typer.Context,
    model: ModelChoice = Recipe.model,
    data: DataChoice = "auto",
    recipe: LearningOptions,
    name: RunName = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run --name, or the newest.")] = False,
    device: DeviceChoice = "auto",
    strategy: Annotated[Strategy, _hardware("mirrored: divide each batch among this machine's GPUs.")] = "single",
    gradients: Annotated[
        bool, option(OUTPUT, "Also write each layer's gradient norm after each epoch: gradients.csv.", "--gradients")
    ] = False,
    loading: LoadingOptions,
    allow_overlap: AllowOverlap = False,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Train a model into runs/NAME/: weights, history, charts."""
    choices = {"model": model, "data": data, **vars(recipe)}  # what is not given is that of a run that goes on
    with show_live(console) as show:
        trained = api.train(
            name=name,
            resume=resume,
            device=device,
            strategy=strategy,
            gradients=gradients,
            **loading.arguments,
            reading=reading.asked,
            allow_overlap=allow_overlap,
            on_step=show,
            **{choice: value for choice, value in choices.items() if choice in given(context)},
        )
    report(console, trained)
    console.document(trained.to_json())
    return INTERRUPTED if trained.interrupted else 0


@contextmanager
def show_live(console: Console) -> Iterator[OnStep]:
    """Show a bar of epochs while the block runs. Yields what shows a step of ``api.train``."""
    from toolkit.training.fit import Started

    with console.steps("training") as show_bar:

        def show(step: Step) -> None:
            if isinstance(step.about, Started):
                _print_start(console, step.about)
            show_bar(step)

        yield show


def report(console: Console, trained: "Trained") -> None:
    """Print what a run came to."""
    progress, noun = trained.progress, trained.noun
    accuracy = units.marked(units.percent(trained.test.accuracy), overlap=trained.dataset["overlap"])
    if trained.interrupted:
        last = len(progress.history)
        console.warn(f"interrupted after epoch {last}; go on with: toolkit train --resume --name {trained.folder.name}")
    console.text(
        f"{trained.recipe.model_name}: {units.count(len(progress.history), 'epoch')} in "
        f"{units.seconds(trained.seconds)}, best epoch {progress.best_epoch} "
        f"({trained.recipe.monitor} {progress.best_value:.4f}), test accuracy {accuracy} of "
        f"{trained.test.rows} {noun}s ({trained.dataset['name']}, sha256 {trained.dataset['sha256'][:12]})"
    )
    for shared in trained.dataset["overlap"]:
        console.text(f"{units.MARK} {shared['count']:,} {shared['part']} {noun}s are {shared['other']} {noun}s too")
    if trained.stopped_early:
        waited = units.count(trained.recipe.patience or 0, "epoch")
        console.text(f"stopped early: {waited} without a better {trained.recipe.monitor}")
    console.text(
        f"run: {trained.folder}/ ({trained.checkpoint.name}, history.csv, loss.png, accuracy.png, metrics.json)"
    )


def _print_start(console: Console, started: "Started") -> None:
    dataset = started.dataset
    console.note(dataset.summary)
    columns = (Column("layer", figures=False), Column("kind", figures=False), Column("output"), Column("parameters"))
    rows = [
        (layer.name, layer.kind, " × ".join(str(size) for size in layer.output_shape[1:]), f"{layer.parameters:,}")
        for layer in started.layers
    ]
    console.table(columns, [*rows, ("total", "", "", f"{started.parameters:,}")])
    where = "on the device" if started.resident else "streamed in blocks"
    console.note(f"device: {started.device}, data {where}; run: {started.folder}")
    if started.additions:
        console.note(f"training: {', '.join(started.additions)}")
