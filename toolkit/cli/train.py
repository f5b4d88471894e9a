"""``toolkit train``."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import extras, units
from toolkit.cli.options import INTERRUPTED, AllowOverlap, DataChoice, Debug, Json
from toolkit.console import Column, Console
from toolkit.training.recipe import Recipe

if TYPE_CHECKING:
    from toolkit.training.checkpoint import Epoch
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
    validation_split: Annotated[float, typer.Option(help="Share of the training rows, the last, to validate.")] = 0.2,
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
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train a model into runs/NAME/: best weights, history, charts."""
    console = Console(json_output=json)
    options = {key: value for key, value in context.params.items() if key in Recipe.__dataclass_fields__}
    if resume:
        given = {key for key in context.params if _is_given(context, key)}
        recipe, data, folder = _resumed(name, given, options, data)
    else:
        recipe, folder = Recipe(**options), new_folder(model, name)
    trained = perform(
        console,
        recipe,
        folder,
        data=data,
        device=device,
        strategy=strategy,
        resume=resume,
        gradients=gradients,
        allow_overlap=allow_overlap,
    )
    report(console, trained)
    console.document(trained.to_json())
    return INTERRUPTED if trained.interrupted else 0


def perform(
    console: Console,
    recipe: Recipe,
    folder: Path,
    *,
    data: str = "auto",
    device: str = "auto",
    strategy: str = "single",
    resume: bool = False,
    gradients: bool = False,
    allow_overlap: bool = False,
) -> "Trained":
    """Train with a live display, and return the result."""
    from toolkit.data import load
    from toolkit.training.fit import train

    extras.require("tensorflow")
    dataset = load(data, warn=console.warn)
    with console.progress(recipe.epochs, f"training {recipe.model}") as advance:

        def on_start(started: "Started") -> None:
            console.note(f"data: {dataset.name} ({dataset.origin}), {len(dataset.train)} + {len(dataset.test)} images")
            _print_layers(console, started)
            advance(started.epochs_done, "")

        def on_epoch(epoch: "Epoch") -> None:
            advance(epoch.epoch, f"loss {epoch.loss:.4f}, val_loss {epoch.val_loss:.4f}, {epoch.seconds:.1f} s")

        return train(
            recipe,
            dataset,
            folder,
            device_choice=device,
            strategy_choice=strategy,
            resume=resume,
            gradients=gradients,
            allow_overlap=allow_overlap,
            on_start=on_start,
            on_epoch=on_epoch,
        )


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


def new_folder(model: str, name: str | None) -> Path:
    """Return the folder of a new run."""
    from toolkit.errors import UsageError
    from toolkit.training.runs import RUNS

    chosen = name or f"{model}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(chosen).name != chosen or chosen in (".", ".."):
        raise UsageError(f"'{chosen}' cannot name a run; a name has no slash, its folder is {RUNS}/NAME")
    return RUNS / chosen


def _resumed(name: str | None, given: set[str], options: dict[str, Any], data: str) -> tuple[Recipe, str, Path]:
    """Return (recipe, data, folder) of the run to go on with; what was given must fit what the run was started with."""
    from dataclasses import replace

    from toolkit.errors import RunError, UsageError
    from toolkit.training import runs
    from toolkit.training.checkpoint import STATE

    if name:
        folder = runs.find(name)
    else:
        found = runs.newest(options["model"] if "model" in given else None, having=STATE)
        if not found:
            raise RunError("no run has a finished epoch to go on from; start one with 'toolkit train'")
        folder = found[0]
    config = runs.read_config(folder)
    stored = runs.recipe_of(config, folder)
    wanted = replace(stored, **{key: value for key, value in options.items() if key in given})
    if replace(wanted, epochs=stored.epochs) != stored:
        changed = [key for key in sorted(given & options.keys()) if getattr(wanted, key) != getattr(stored, key)]
        raise UsageError(f"{folder} was started with another {', '.join(changed)}; only --epochs may change")
    return wanted, data if "data" in given else runs.data_choice(config["data"]), folder


def _is_given(context: typer.Context, parameter: str) -> bool:
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def _print_layers(console: Console, started: "Started") -> None:
    columns = (Column("layer", figures=False), Column("kind", figures=False), Column("output"), Column("parameters"))
    rows = [
        (layer.name, layer.kind, " × ".join(str(size) for size in layer.output_shape[1:]), f"{layer.parameters:,}")
        for layer in started.layers
    ]
    console.table(columns, [*rows, ("total", "", "", f"{started.parameters:,}")])
    where = "on the device" if started.resident else "streamed, they do not fit in memory"
    console.note(f"device: {started.device}, data {where}; run: {started.folder}")
