"""``toolkit train``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import (
    INTERRUPTED,
    AllowOverlap,
    DataChoice,
    Debug,
    ImageSize,
    Json,
    Keys,
    ResizeTo,
    SkipUnreadable,
    reading,
)
from toolkit.console import Column, Console
from toolkit.step import OnStep, Step
from toolkit.training.recipe import Recipe

if TYPE_CHECKING:
    from toolkit.training.fit import Started, Trained


def command(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="cnn or mlp.")] = "cnn",
    data: DataChoice = "auto",
    optimizer: Annotated[str, typer.Option(help="adam or sgd.")] = "adam",
    learning_rate: Annotated[float, typer.Option(help="0: 0.001 for adam, 0.01 for sgd.")] = 0.0,
    activation: Annotated[str, typer.Option(help="Of hidden layers: relu, sigmoid, tanh, elu and others")] = "relu",
    loss: Annotated[
        str, typer.Option(help="categorical_crossentropy, mse or binary_crossentropy.")
    ] = "categorical_crossentropy",
    epochs: Annotated[int, typer.Option(help="Passes over the training rows.")] = 100,
    batch_size: Annotated[int, typer.Option(help="Rows of one step.")] = 64,
    validation_split: Annotated[
        float,
        typer.Option(help="Share of the training rows to validate: the last, or drawn by class where those lack one."),
    ] = 0.2,
    monitor: Annotated[
        str, typer.Option(help="What the best epoch is chosen by: val_loss, val_accuracy, loss or accuracy.")
    ] = "val_loss",
    seed: Annotated[int, typer.Option(help="Of the first weights and of the order of rows.")] = 0,
    device: Annotated[str, typer.Option(help="auto (a GPU where there is one), gpu or cpu.")] = "auto",
    strategy: Annotated[
        str, typer.Option(help="single, or mirrored: each batch is shared out over all GPUs of this machine.")
    ] = "single",
    precision: Annotated[str, typer.Option(help="float32, or mixed (bfloat16 arithmetic).")] = "float32",
    gradients: Annotated[
        bool, typer.Option("--gradients", help="Also write each layer's gradient norm after each epoch: gradients.csv.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Of the run; default: the model and the time.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run --name, or the newest.")] = False,
    allow_overlap: AllowOverlap = False,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train a model into runs/NAME/: best weights, history, charts."""
    console = Console(json_output=json)
    given = {key: value for key, value in context.params.items() if _is_given(context, key)}
    recipe = {key: value for key, value in given.items() if key in Recipe.__dataclass_fields__}
    with shown(console) as show:
        trained = api.train(
            data=given.get("data"),
            name=name,
            resume=resume,
            device=device,
            strategy=strategy,
            gradients=gradients,
            reading=reading(image_size, resize, skip_unreadable, keys),
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
        f"{trained.recipe.model}: {len(progress.history)} epochs in {units.seconds(trained.seconds)}, best epoch "
        f"{progress.best_epoch} ({trained.recipe.monitor} {progress.best_value:.4f}), "
        f"test accuracy {accuracy} of {trained.test.rows} images "
        f"({trained.dataset['name']}, sha256 {trained.dataset['sha256'][:12]})"
    )
    for shared in trained.dataset["overlap"]:
        console.text(f"{units.MARK} {shared['count']:,} {shared['part']} images are {shared['other']} images too")
    console.text(f"run: {trained.folder}/ (best.keras, history.csv, loss.png, accuracy.png, metrics.json)")


def _is_given(context: typer.Context, parameter: str) -> bool:
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def _print_start(console: Console, started: "Started") -> None:
    dataset = started.dataset
    console.note(f"data: {dataset.name} ({dataset.origin}), {dataset.counts} images")
    columns = (Column("layer", figures=False), Column("kind", figures=False), Column("output"), Column("parameters"))
    rows = [
        (layer.name, layer.kind, " × ".join(str(size) for size in layer.output_shape[1:]), f"{layer.parameters:,}")
        for layer in started.layers
    ]
    console.table(columns, [*rows, ("total", "", "", f"{started.parameters:,}")])
    where = "on the device" if started.resident else "streamed, they do not fit in memory"
    console.note(f"device: {started.device}, data {where}; run: {started.folder}")
