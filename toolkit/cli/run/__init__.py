"""``toolkit run``: the whole road."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import api, units
from toolkit.cli import bench, export, train, verify
from toolkit.cli.bench import live, tables
from toolkit.cli.options import (
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
    Seconds,
    TrainingSeed,
)
from toolkit.cli.run import same
from toolkit.console import Console
from toolkit.errors import INTERRUPTED
from toolkit.step import OnStep, Step
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.export.exporter import Exported
    from toolkit.parity.result import Parity
    from toolkit.training.fit import Trained


def command(
    *,
    model: ModelChoice = "cnn",
    data: DataChoice = "auto",
    epochs: Epochs = 100,
    seed: TrainingSeed = 0,
    device: DeviceChoice = "auto",
    seconds: Seconds = 1.0,
    name: RunName = None,
    input_range: InputRange = None,
    loading: LoadingOptions,
    allow_overlap: AllowOverlap = False,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Train, export, verify and bench, all of it in runs/NAME/.

    The exit code is 1 if an artifact fails.
    """
    with _training(console) as show:
        trained = api.train(
            model,
            data=data,
            name=name,
            device=device,
            **loading.arguments,
            allow_overlap=allow_overlap,
            reading=reading.asked,
            on_step=show,
            epochs=epochs,
            seed=seed,
            input_range=input_range,
        )
    train.report(console, trained)
    if trained.interrupted:
        return INTERRUPTED
    code = replace(loading, imports=[*(loading.imports or ()), *trained.recipe.code_files])
    allowed = {"allow_overlap": allow_overlap, **code.arguments}
    exported = _export(console, trained, allowed)
    parity = _verify(console, exported, trained, allowed)
    measured = _bench(console, exported, trained.folder / "benchmarks", seconds=seconds)
    is_wrong = parity.verdict == Verdict.FAIL or bool(exported.failures or measured.failures)
    console.heading(f"Summary: {'not all of it is right' if is_wrong else 'nothing is wrong'}")
    judged = same.lines(parity.parts[0], model=model, choice=trained.data, code=code.words)
    _summarise(console, trained, exported, measured, judged)
    (page,) = api.report(exported, output=trained.folder / "report.html", data=trained.data)
    console.text(f"page:  {page.path}")
    parts: dict[str, Any] = {"train": trained, "export": exported, "verify": parity, "bench": measured, "report": page}
    console.document({"schema": 1, "command": "run", **{verb: part.to_json() for verb, part in parts.items()}})
    return 1 if is_wrong else 0


@contextmanager
def _training(console: Console) -> Iterator[OnStep]:
    """Show the training of the block under its heading, once nothing of what is asked for has been refused."""
    from toolkit.training.fit import Started

    with train.show_live(console) as show:

        def show_begun(step: Step) -> None:
            if isinstance(step.about, Started):
                console.heading("1. train")
            show(step)

        yield show_begun


def _export(console: Console, trained: "Trained", allowed: dict[str, Any]) -> "Exported":
    console.heading("2. export")
    exported = api.export(trained, output=trained.folder / "exported", on_step=export.note_steps(console), **allowed)
    export.report(console, [exported])
    return exported


def _verify(console: Console, exported: "Exported", trained: "Trained", allowed: dict[str, Any]) -> "Parity":
    console.heading("3. verify: is it still the model I trained?")
    with console.steps("verifying") as show:
        parity = api.verify(exported, data=trained.data, save=True, on_step=show, **allowed)
    verify.tables.report(console, parity, undecided=f"too few {parity.parts[0].noun}s")
    return parity


def _bench(console: Console, exported: "Exported", output: Path, *, seconds: float) -> "Record":
    console.heading("4. bench: how fast is it here?")
    with live.show_live(console) as show:
        measured = api.bench(exported, output=output, on_step=show, seconds=seconds)
    bench.report(console, measured)
    return measured


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
