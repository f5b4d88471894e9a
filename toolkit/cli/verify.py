"""``toolkit verify``."""

import itertools
from collections import Counter
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import units
from toolkit.cli import devices
from toolkit.cli.devices import On, Wheels
from toolkit.cli.options import EXPORTED, AllowOverlap, Debug, Json, Paths
from toolkit.console import Column, Console
from toolkit.errors import UsageError
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

if TYPE_CHECKING:
    from toolkit.parity.compare import Comparison
    from toolkit.parity.verify import Options, Verified
    from toolkit.selftest.run import Outcome

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


def command(
    paths: Paths = None,
    data: Annotated[
        str | None, typer.Option(help="The data set whose test images are used; default: the manifest's.")
    ] = None,
    margin: Annotated[float, typer.Option(help="Accuracy that may be lost, in percentage points.")] = DEFAULT_MARGIN_PP,
    golden: Annotated[
        bool, typer.Option("--golden", help="Compare with golden.npz: no TensorFlow and no data set needed.")
    ] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Write a parity record, and the results into the manifests.")
    ] = False,
    flips: Annotated[
        Path | None, typer.Option(help="A picture to write: the images that an artifact classifies otherwise.")
    ] = None,
    allow_overlap: AllowOverlap = False,
    localize: Annotated[
        Path | None, typer.Option(help="An artifact to compare with Keras layer by layer, on golden.npz.")
    ] = None,
    picture: Annotated[Path, typer.Option(help="What --localize draws.")] = Path("layers.png"),
    recompute: Annotated[
        Path | None, typer.Option(help="A parity record whose every figure is rebuilt from its images.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant faults into copies of the artifacts, and show what catches each.")
    ] = False,
    reexports: Annotated[int, typer.Option(help="Faultless exports that --self-test judges as well.")] = 20,
    on: On = None,
    wheels: Wheels = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Prove that artifacts classify like the Keras original, or say no. Exit code: 0 pass, 1 fail, 3 inconclusive."""
    from toolkit.parity import flips as pictures
    from toolkit.parity import record
    from toolkit.parity.verify import Options, document

    questions = {"--recompute": recompute is not None, "--localize": localize is not None, "--self-test": self_test}
    if sum(questions.values()) > 1:
        raise UsageError(f"{', '.join(questions)} are three questions; ask one at a time")
    question = next((name for name, asked in questions.items() if asked), None)
    other = {"--golden": golden, "--save": save, "--flips": flips is not None}
    if question and (unused := [name for name, given in other.items() if given]):
        raise UsageError(f"{question} does not go with {', '.join(unused)}")
    devices.check(on, wheels)
    console = Console(json_output=json)
    if on:
        alone = {**questions, "--data": data is not None, **other, "--golden": False}
        if unused := [name for name, given in alone.items() if given]:
            raise UsageError(f"--on compares by golden on a device; it does not go with {', '.join(unused)}")
        from toolkit.cli.devices.verify import command as on_devices

        return on_devices(console, on, paths or [EXPORTED], wheels=wheels)
    if recompute is not None:
        return _recompute(console, recompute)
    if localize is not None:
        return _localize(console, localize, picture)
    if golden and save:
        raise UsageError("results by golden measure no accuracy and are not saved; leave out --golden or --save")
    options = Options(data, by_golden=golden, margin_pp=margin, allow_overlap=allow_overlap)
    if self_test:
        return _self_test(console, paths or [EXPORTED], options, reexports)
    if flips is not None:
        pictures.check(flips)
    parts = perform(console, paths or [EXPORTED], options)
    report(console, parts)
    explain(console, parts)
    if save:
        for part in parts:
            record.check_savable(part)
        for part in parts:
            console.text(f"record: {record.save(part)}")
    if flips is not None:
        console.text(f"{pictures.draw(flips, parts)} images in {flips}")
    result = document(parts)
    console.document(result)
    return EXIT_CODES[result["verdict"]]


def perform(console: Console, paths: Sequence[Path], options: "Options") -> list["Verified"]:
    """Compare the artifacts of every manifest."""
    from toolkit.parity.verify import select, verify

    chosen = select(paths)
    finished = itertools.count(1)
    with console.progress(sum(len(artifacts) for _, artifacts in chosen), "verifying") as advance:
        return [
            verify(
                manifest,
                artifacts,
                options,
                warn=console.warn,
                on_comparison=lambda comparison: advance(next(finished), comparison.artifact),
            )
            for manifest, artifacts in chosen
        ]


def report(console: Console, parts: Sequence["Verified"]) -> None:
    """Print a table for the test set and one for golden, where there are both, the problems, and the verdict."""
    from toolkit.parity.compare import overall

    for by_golden in (False, True):
        kind = [part for part in parts if part.by_golden == by_golden]
        if not kind:
            continue
        figures = GOLDEN_FIGURES if by_golden else FIGURES
        columns = [Column("artifact", figures=False), *map(Column, figures), Column("verdict", figures=False)]
        console.table(columns, [_row(c, by_golden=by_golden, overlap=p.overlaps) for p in kind for c in p.comparisons])
        for part in kind:
            for comparison in part.comparisons:
                _print_problem(console, comparison)
            console.text(_measured_on(part))
    comparisons = [comparison for part in parts for comparison in part.comparisons]
    console.text(f"verdict: {overall(comparisons)}")
    for rule in dict.fromkeys(_rule(part) for part in parts):
        console.text(f"to pass: {rule}")


def explain(console: Console, parts: Sequence["Verified"]) -> None:
    """Print what the columns hold."""
    for by_golden, figures in ((False, FIGURES), (True, GOLDEN_FIGURES)):
        if any(part.by_golden == by_golden for part in parts):
            for figure, meaning in figures.items():
                console.text(f"  {figure}: {meaning}")


def _print_problem(console: Console, comparison: "Comparison") -> None:
    if comparison.problem:
        path = comparison.artifact
        console.text(f"{path}: {comparison.problem.text.removeprefix(f'{path}: ')}")
    elif comparison.verdict == "inconclusive":
        needed = comparison.images_to_decide
        enough = f"about {needed:,} images would tell" if needed else "no number of images would tell"
        console.text(f"{comparison.artifact}: {comparison.n:,} images cannot tell; at these rates {enough}")


def _rule(part: "Verified") -> str:
    if part.by_golden:
        return GOLDEN_RULE
    margin = part.comparisons[0].margin_pp
    if part.overlaps:
        return f"at most {margin:g} points fewer right; shows equal outputs on images it has learned from, not accuracy"
    return f"with 95 % confidence no more than {margin:g} percentage points of accuracy are lost (docs/parity.md)"


FIGURES = {
    "accuracy": "share of the test images that the artifact gets right",
    "change": "of the accuracy from Keras', in percentage points, with its 95 % interval (Tango's score interval)",
    "lost/gained": "images that only Keras gets right, and that only the artifact does",
    "changed": "images put into another class than Keras puts them, right or wrong",
    "p": "how probable so uneven a lost/gained is between equally good models (exact McNemar test)",
    "at most lost": "95 % upper bound of the accuracy lost, in percentage points; the verdict rests on it",
    "divergence": "mean Kullback-Leibler divergence of the probabilities from Keras', in nats",
}
GOLDEN_FIGURES = {
    "flips, Keras": "images of golden.npz put into another class than Keras puts them",
    "difference, Keras": "the largest of any output from Keras'",
    "flips, recorded": "images put into another class than the artifact itself did on the machine that exported it",
    "difference, recorded": "the largest of any output from there; LSB: in steps of an int8 output",
}
GOLDEN_RULE = "outputs are those of the machine that exported; the digits of golden.npz do not measure accuracy"


def _row(comparison: "Comparison", *, by_golden: bool, overlap: bool) -> tuple[str, ...]:
    if by_golden:
        return golden_row(comparison.to_json())
    name = Path(comparison.artifact).name
    found = comparison.figures
    if found is None:
        return (name, *["–"] * len(FIGURES), comparison.verdict)
    low, high = found.change_ci95_pp
    figures = (
        units.percent(found.accuracy),
        f"{0.0 - found.loss_pp:+.2f} [{low:+.2f}, {high:+.2f}]",
        f"{found.lost}/{found.gained}",
        str(found.changed),
        f"{found.mcnemar_p:.2g}",
        f"{found.bounds_pp[1]:.2f}",
        f"{found.kl_mean:.1e}",
    )
    return (name, *(units.marked(figure, overlap=overlap) for figure in (*figures, comparison.verdict)))


def golden_row(result: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of GOLDEN_FIGURES, between the name and the verdict, of a result as the JSON document has it."""
    name, verdict = Path(result["artifact"]).name, str(result["verdict"])
    if result["changed"] is None:
        return (name, *["–"] * len(GOLDEN_FIGURES), verdict)
    keras = (str(result["changed"]), f"{result['max_abs_error']:.2g}")
    if result["recorded_flips"] is None:
        return (name, *keras, "–", "–", verdict)
    lsb = result["recorded_max_lsb"]
    difference = f"{result['recorded_max_abs_error']:.2g}" if lsb is None else f"{lsb:.0f} LSB"
    return (name, *keras, str(result["recorded_flips"]), difference, verdict)


def _measured_on(part: "Verified") -> str:
    data = part.dataset
    first = next((c.figures for c in part.comparisons if c.figures), None)
    accuracy = ""
    if first and not part.by_golden:
        accuracy = f", Keras {units.marked(units.percent(first.reference_accuracy), overlap=part.overlaps)}"
    text = f"{part.manifest.folder}{accuracy}: {data['n']} images ({data['name']}, {data['split']}, "
    text += f"sha256 {data['sha256'][:12]})"
    for shared in data["overlap"]:
        text += f"; {units.MARK} not an accuracy: {shared['count']:,} of them are {shared['other']} images of the model"
    return text


def _recompute(console: Console, path: Path) -> int:
    from toolkit.parity.record import recompute

    rebuilt = recompute(path)
    for difference in rebuilt.differences:
        console.text(difference)
    counted = f"{rebuilt.figures} figures of {rebuilt.artifacts} artifacts from {rebuilt.images:,} images"
    verdict = rebuilt.to_json()["verdict"]
    console.text(f"{path}: {counted} rebuilt, {len(rebuilt.differences)} differences; verdict: {verdict}")
    console.document(rebuilt.to_json())
    return EXIT_CODES[verdict]


def _localize(console: Console, path: Path, picture: Path) -> int:
    from toolkit import golden
    from toolkit.parity import flips as pictures
    from toolkit.parity.layers_chart import draw
    from toolkit.parity.localize import localize
    from toolkit.parity.verify import select

    if path.is_dir():
        raise UsageError(f"{path}: a folder; name one artifact")
    pictures.check(picture)
    ((found, (artifact,)),) = select([path])
    found.require(artifact, found.golden)
    result = localize(found, artifact, golden.read(found.golden_path).images)
    layers = (Column("layer", figures=False), Column("alone"), Column("with all before"), Column("difference"))
    rows = [
        (layer.name, _decibels(layer.own_sqnr_db), _decibels(layer.sqnr_db), f"{layer.max_abs_error:.1e}")
        for layer in result.layers
    ]
    console.table(layers, rows)
    if result.unmatched:
        console.text(f"no tensor of its own in the artifact: {', '.join(result.unmatched)}")
    counts = Counter(operator.kernels for operator in result.operators)
    console.text(f"kernels: {', '.join(f'{kernels} runs {count} operators' for kernels, count in counts.items())}")
    for other in result.kernel_sets:
        difference = f"{other.max_abs_error:.1e}" if other.max_lsb is None else f"{other.max_lsb:.0f} LSB"
        console.text(f"with {other.kernels} kernels: {other.flips} flips, outputs differ by at most {difference}")
    draw(picture, result)
    culprit = result.culprit
    named = f"first damaged layer: {culprit.name}" if culprit else "no layer is damaged"
    console.text(f"{path}: {named} (one that adds more noise than {result.least_db:.0f} dB); picture: {picture}")
    console.document(result.to_json())
    return 1 if culprit else 0


def _decibels(ratio: float) -> str:
    return "exact" if ratio == inf else f"{ratio:.1f} dB"


def _self_test(console: Console, paths: Sequence[Path], options: "Options", reexports: int) -> int:
    from toolkit import extras
    from toolkit.parity.verify import load, select
    from toolkit.selftest.run import self_test

    extras.require("tensorflow")
    tested = []
    columns = (
        Column("fault", figures=False),
        Column("artifact", figures=False),
        Column("caught on the test set by", figures=False),
        Column("by golden", figures=False),
        Column("the gate is", figures=False),
    )
    for found, _ in select(paths):
        dataset = load(found, options, console.warn)
        result = self_test(
            found, dataset, options=options, reexports=reexports, warn=console.warn, on_step=console.note
        )
        rows = [
            (o.fault, o.artifact, ", ".join(o.test_set) or "–", _by_golden(o), "right" if o.right else "WRONG")
            for o in result.outcomes
        ]
        console.table(columns, sorted(rows, key=lambda row: row[0]))
        wrong = sum(not outcome.right for outcome in result.outcomes)
        console.text(
            f"{found.folder}: {len(rows)} artifacts with and without a fault, {wrong} judged wrong; of {reexports} "
            f"faultless exports with other calibration images {result.false_alarms} were called fail"
        )
        tested.append(result)
    passed = all(result.passed for result in tested)
    console.document(
        {
            "schema": 1,
            "command": "verify",
            "self_test": [result.to_json() for result in tested],
            "verdict": "pass" if passed else "fail",
        }
    )
    return 0 if passed else 1


def _by_golden(outcome: "Outcome") -> str:
    return "not asked" if outcome.golden is None else ", ".join(outcome.golden) or "–"
