"""``toolkit run``: the whole road."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli import export, train, verify
from toolkit.cli.bench import live, tables
from toolkit.cli.options import (
    INTERRUPTED,
    AllowOverlap,
    DataChoice,
    Debug,
    DeviceChoice,
    ImageSize,
    Json,
    Keys,
    ModelChoice,
    ResizeTo,
    Seconds,
    SkipUnreadable,
    Stride,
    Window,
    reading,
)
from toolkit.cli.run import same
from toolkit.console import Console
from toolkit.step import Step
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.export.exporter import Exported
    from toolkit.training.fit import Trained


def command(
    model: ModelChoice = "cnn",
    data: DataChoice = "auto",
    epochs: Annotated[int, typer.Option(help="How often all training rows are passed over.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the first weights and of the order of rows.")] = 0,
    device: DeviceChoice = "auto",
    seconds: Seconds = 1.0,
    name: Annotated[str | None, typer.Option(help="Name of the run; default: the model and the time.")] = None,
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
    """Train, export, verify and bench, all of it in runs/NAME/.

    The exit code is 1 if an artifact fails.
    """
    from toolkit.training.fit import Started

    console = Console(json_output=json)
    with train.shown(console) as show_training:

        def show_begun(step: Step) -> None:
            if isinstance(step.about, Started):  # what cannot be asked for is said before anything is printed
                console.heading("1. train")
            show_training(step)

        trained = api.train(
            model,
            data=data,
            name=name,
            device=device,
            allow_overlap=allow_overlap,
            reading=reading(image_size, resize, skip_unreadable, keys, window, stride),
            on_step=show_begun,
            epochs=epochs,
            seed=seed,
        )
    train.report(console, trained)
    if trained.interrupted:
        return INTERRUPTED
    console.heading("2. export")
    folder, imports = trained.folder, trained.recipe.code_files
    exported = api.export(
        trained,
        output=folder / "exported",
        imports=imports,
        allow_overlap=allow_overlap,
        on_step=export.noting(console),
    )
    export.report(console, [exported])
    console.heading("3. verify: is it still the model I trained?")
    with console.steps("verifying") as show:
        parity = api.verify(
            exported, data=trained.data, imports=imports, allow_overlap=allow_overlap, save=True, on_step=show
        )
    (verified,) = parity.parts
    verify.tables.report(console, parity, undecided=f"too few {verified.noun}s")
    console.heading("4. bench: how fast is it here?")
    with live.shown(console) as show:
        measured = api.bench(exported, output=folder / "benchmarks", on_step=show, seconds=seconds)
    tables.report(console, measured)
    is_wrong = parity.verdict == Verdict.FAIL or bool(exported.failures or measured.failures)
    console.heading(f"Summary: {'not all of it is right' if is_wrong else 'nothing is wrong'}")
    _summarise(console, trained, exported, measured, same.lines(verified, model=model, choice=trained.data))
    (page,) = api.report(exported, output=trained.folder / "report.html", data=trained.data)
    console.text(f"page:  {page.path}")
    console.document(
        {
            "schema": 1,
            "command": "run",
            "train": trained.to_json(),
            "export": exported.to_json(),
            "verify": parity.to_json(),
            "bench": measured.to_json(),
            "report": page.to_json(),
        }
    )
    return 1 if is_wrong else 0


def _summarise(
    console: Console, trained: "Trained", exported: "Exported", record: "Record", judged: Sequence[str]
) -> None:
    console.text(
        f"made:  the {trained.recipe.model_name}, test accuracy {units.percent(trained.test.accuracy)} on "
        f"{exported.manifest.data.name}, and {len(exported.made)} artifacts of it in {exported.manifest.folder}/"
    )
    for name, why in exported.failures.items():
        console.text(f"       {name} could not be made: {why} (log: {exported.log})")
    for first, line in zip(("same: ", *[""] * len(judged)), judged, strict=False):
        console.text(f"{first:6} {line}")
    tables.recommend(console, record)
    for path, why in record.failures.items():
        console.text(f"       {path} could not be measured: {why.removeprefix(f'{path}: ')}")
