"""``toolkit train``."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from toolkit import api, units
from toolkit.cli.options import (
    INTERRUPTED,
    OUTPUT,
    AllowOverlap,
    DataChoice,
    Debug,
    DeviceChoice,
    ImageSize,
    Imports,
    InputRange,
    Json,
    Keys,
    ModelChoice,
    ResizeTo,
    SkipUnreadable,
    Stride,
    UnsafeLambda,
    Window,
    given,
    option,
    reading,
)
from toolkit.console import Column, Console
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


_learning, _harder = partial(option, "How weights are learned"), partial(option, "When data are few or lopsided")
_small = partial(option, "When the network is small")
_hardware = partial(option, "On which hardware")


def command(
    context: typer.Context,
    model: ModelChoice = "cnn",
    data: DataChoice = "auto",
    epochs: Annotated[int, typer.Option(help="How often all training rows are passed over.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the first weights and of the order of rows.")] = 0,
    name: Annotated[str | None, typer.Option(help="Name of the run; default: the model and the time.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run --name, or the newest.")] = False,
    optimizer: Annotated[Optimizer, _learning("The optimizer.")] = "adam",
    learning_rate: Annotated[float, _learning("The learning rate; 0: 0.001 for adam, 0.01 for sgd.")] = 0.0,
    activation: Annotated[Activation, _learning("The activation of hidden layers.")] = "relu",
    loss: Annotated[Loss, _learning("The loss.")] = "categorical_crossentropy",
    batch_size: Annotated[int, _learning("Rows of one step.")] = 64,
    validation_split: Annotated[float, _learning("Share of the training rows that validates.")] = 0.2,
    monitor: Annotated[Monitor, _learning("What the best epoch is chosen by.")] = "val_loss",
    qat: Annotated[
        bool, _learning("Learn with the rounding of int8 kernels in the end (quantization-aware training).", "--qat")
    ] = False,
    schedule: Annotated[
        Schedule,
        _harder(
            f"How the learning rate goes; plateau: halved after {PLATEAU_EPOCHS} epochs without a better --monitor."
        ),
    ] = "constant",
    patience: Annotated[
        int | None, _harder("Stop after so many epochs without a better --monitor; default: never.")
    ] = None,
    augment: Annotated[
        str | None,
        _harder(
            f"Change training images by chance: a comma list of {', '.join(KINDS)}, each with =STRENGTH or without."
        ),
    ] = None,
    balance: Annotated[
        bool, _harder("Let every class count the same in the loss, however many images it has.", "--balance")
    ] = False,
    freeze_until: Annotated[
        str | None, _harder("Of a .keras file: the layer up to which weights are kept and not trained.")
    ] = None,
    warmup: Annotated[
        int, _small("Epochs in which the learning rate rises to its value, step by step; --schedule begins then.")
    ] = 0,
    average: Annotated[
        float | None,
        _small(
            "Validate and keep a moving average of the weights, of this decay a step, such as 0.999; default: none."
        ),
    ] = None,
    label_smoothing: Annotated[float, _small("Share of each label that all classes get, such as 0.1.")] = 0.0,
    teacher: Annotated[
        str | None, _small("Learn the answers of a trained model too: a run, by name or folder, or a .keras file.")
    ] = None,
    temperature: Annotated[
        float, _small("At which answers are compared with the teacher's; higher: unlikely classes count more.")
    ] = 4.0,
    teacher_weight: Annotated[float, _small("How much the teacher's answers count; the labels count the rest.")] = 0.9,
    input_range: InputRange = None,
    imports: Imports = None,
    unsafe_lambda: UnsafeLambda = False,
    device: DeviceChoice = "auto",
    strategy: Annotated[Strategy, _hardware("mirrored: share each batch out over this machine's GPUs.")] = "single",
    precision: Annotated[Precision, _hardware("mixed: compute in bfloat16.")] = "float32",
    gradients: Annotated[
        bool, option(OUTPUT, "Also write each layer's gradient norm after each epoch: gradients.csv.", "--gradients")
    ] = False,
    allow_overlap: AllowOverlap = False,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    window: Window = None,
    stride: Stride = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train a model into runs/NAME/: weights, history, charts."""
    console = Console(json_output=json)
    asked = {name: context.params[name] for name in given(context)}
    recipe = {name: value for name, value in asked.items() if name in Recipe.__dataclass_fields__}
    with shown(console) as show:
        trained = api.train(
            data=asked.get("data"),
            name=name,
            resume=resume,
            device=device,
            strategy=strategy,
            gradients=gradients,
            imports=imports or (),
            unsafe_lambda=unsafe_lambda,
            reading=reading(image_size, resize, skip_unreadable, keys, window, stride),
            allow_overlap=allow_overlap,
            on_step=show,
            **recipe,
        )
    report(console, trained)
    console.document(trained.to_json())
    return INTERRUPTED if trained.interrupted else 0


@contextmanager
def shown(console: Console) -> Iterator[OnStep]:
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
    progress = trained.progress
    accuracy = units.marked(units.percent(trained.test.accuracy), overlap=trained.dataset["overlap"])
    if trained.interrupted:
        last = len(progress.history)
        console.warn(f"interrupted after epoch {last}; go on with: toolkit train --resume --name {trained.folder.name}")
    console.text(
        f"{trained.recipe.model_name}: {len(progress.history)} epochs in {units.seconds(trained.seconds)}, best epoch "
        f"{progress.best_epoch} ({trained.recipe.monitor} {progress.best_value:.4f}), "
        f"test accuracy {accuracy} of {trained.test.rows} images "
        f"({trained.dataset['name']}, sha256 {trained.dataset['sha256'][:12]})"
    )
    for shared in trained.dataset["overlap"]:
        console.text(f"{units.MARK} {shared['count']:,} {shared['part']} images are {shared['other']} images too")
    if trained.stopped_early:
        waited = units.count(trained.recipe.patience or 0, "epoch")
        console.text(f"stopped early: {waited} without a better {trained.recipe.monitor}")
    console.text(
        f"run: {trained.folder}/ ({trained.checkpoint.name}, history.csv, loss.png, accuracy.png, metrics.json)"
    )


def _print_start(console: Console, started: "Started") -> None:
    dataset = started.dataset
    console.note(f"data: {dataset.name} ({dataset.origin}), {dataset.counts} {dataset.noun}s")
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
