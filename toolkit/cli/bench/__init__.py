"""``toolkit bench``: measure artifacts, here or on devices."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api
from toolkit.cli.bench import ending, live, tables, tuned, why
from toolkit.cli.options import (
    BENCHMARKS,
    OUTPUT,
    REMOTE,
    THOROUGH,
    Debug,
    Imports,
    Json,
    On,
    Paths,
    Processes,
    Records,
    Runtime,
    Seconds,
    Seed,
    Thorough,
    UnsafeLambda,
    Wheels,
    option,
    require_device,
)
from toolkit.console import Console
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.bench.plan import PlanOptions

_recommended = partial(option, "What is recommended")

Threads = Annotated[str, typer.Option(help="Threads of the runtime; several numbers with commas.")]
Batch = Annotated[str, typer.Option(help="Images per inference; several numbers with commas.")]
Shapes = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        help="An input with more sizes free than the batch, as NAME:1,3,224,224. Give it once for each input.",
    ),
]
Rate = Annotated[float | None, typer.Option(help="Also measure at the pace of a camera: so many images a second.")]
MaxLatency = Annotated[str | None, _recommended("The longest median latency of one inference: 5ms, 80us.")]
MaxSize = Annotated[str | None, _recommended("The largest file: 500kB, 1MB.")]
MinAccuracy = Annotated[float | None, _recommended("The lowest accuracy, in percent.")]
Strict = Annotated[bool, option(OUTPUT, "Exit with 1 if something disturbed the machine during a block.", "--strict")]
Explain = Annotated[
    bool, option(OUTPUT, "Also show operators, their times, and the share of what the CPU can do.", "--explain")
]
Instructions = Annotated[
    bool,
    option(OUTPUT, "Also count the instructions of an inference, which no other program changes.", "--instructions"),
]
Tune = Annotated[
    bool, option(OUTPUT, "Also try the runtimes' settings, and show the line of code that sets what wins.", "--tune")
]
Resume = Annotated[
    Path | None, option(REMOTE, "The folder of a record that was cut off: measure what it lacks, on the same device.")
]


def command(
    paths: Paths = None,
    threads: Threads = "1",
    batch: Batch = "1",
    shape: Shapes = None,
    runtime: Runtime = None,
    seconds: Seconds = 1.0,
    processes: Processes = 5,
    thorough: Thorough = False,
    rate: Rate = None,
    seed: Seed = 0,
    strict: Strict = False,
    max_latency: MaxLatency = None,
    max_size: MaxSize = None,
    min_accuracy: MinAccuracy = None,
    on: On = None,
    wheels: Wheels = None,
    resume: Resume = None,
    imports: Imports = None,
    unsafe_lambda: UnsafeLambda = False,
    explain: Explain = False,
    instructions: Instructions = False,
    tune: Tune = False,
    output: Records = BENCHMARKS,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Time artifacts, anybody's, and say which one to ship.

    The exit code is 1 if an artifact cannot be measured, or if none fits what may be recommended.
    """
    from toolkit.bench.advice import Budgets

    require_device(on, wheels)
    if thorough:
        seconds, processes = THOROUGH
    plan: PlanOptions = {
        "threads": _numbers(threads, "--threads"),
        "batches": _numbers(batch, "--batch"),
        "seconds": seconds,
        "processes": processes,
        "rate": rate,
        "seed": seed,
        "budgets": Budgets.parse(max_latency, max_size, min_accuracy),
    }
    console = Console(json_output=json)
    if on:
        for flag, asked in {"--explain": explain, "--instructions": instructions, "--tune": tune}.items():
            if asked:
                raise UsageError(f"{flag} looks at this machine; leave out --on, or call it on the device")
        if shape or runtime or imports or unsafe_lambda:
            raise UsageError(
                "--shape, --runtime, --import and --unsafe-lambda do not go with --on; call bench on the device"
            )
        from toolkit.cli.bench.on_devices import measure

        return measure(console, on, paths or (), plan, wheels=wheels, output=output, resume=resume, strict=strict)
    if resume is not None:
        raise UsageError("--resume goes on with the record of a device; name it by --on")
    shapes = _shapes(shape or ())
    with live.shown(console) as show:
        record = api.bench(
            *(paths or ()),
            output=output,
            explain=explain,
            instructions=instructions,
            tune=tune,
            shapes=shapes,
            imports=imports or (),
            unsafe_lambda=unsafe_lambda,
            runtime=runtime,
            on_step=show,
            **plan,
        )
    ending.require_results(record)
    tables.report(console, record)
    why.report(console, record, everything=explain)
    tuned.report(console, record)
    tables.recommend(console, record)
    console.document(record.to_json())
    return ending.exit_code(record, strict=strict)


def _shapes(given: Sequence[str]) -> dict[str, list[int]]:
    """Return the shapes of inputs by their names, which may hold a colon themselves."""
    found = {}
    for text in given:
        name, colon, sizes = text.rpartition(":")
        shape = [int(size) for size in sizes.split(",") if re.fullmatch(r"[1-9][0-9]{0,8}", size)]
        if not (name and colon) or len(shape) != sizes.count(",") + 1:
            raise UsageError(f"--shape is '{text}'; it must be an input and its sizes, as in image:1,3,224,224")
        if name in found:
            raise UsageError(f"--shape gives '{name}' twice; give each input once")
        found[name] = shape
    return found


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{option} is '{text}'; it must be a whole number, or several with commas") from error
