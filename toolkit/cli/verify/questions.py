"""What ``toolkit verify`` answers instead: a record rebuilt, an artifact layer by layer, the gate itself tested."""

from collections import Counter
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import drawing
from toolkit.cli.verify.tables import EXIT_CODES
from toolkit.console import Column, Console
from toolkit.errors import UsageError
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.parity.verify import VerifyOptions
    from toolkit.selftest.run import FaultOutcome


def recompute(console: Console, path: Path) -> int:
    """Rebuild every figure of a parity record, and print what differs."""
    from toolkit.parity import record

    rebuilt = record.recompute(path)
    for difference in rebuilt.differences:
        console.text(difference)
    counted = f"{rebuilt.figures} figures of {rebuilt.artifacts} artifacts from {rebuilt.images:,} images"
    verdict = rebuilt.to_json()["verdict"]
    console.text(f"{path}: {counted} rebuilt, {len(rebuilt.differences)} differences; verdict: {verdict}")
    console.document(rebuilt.to_json())
    return EXIT_CODES[verdict]


def localize(console: Console, path: Path, picture: Path) -> int:
    """Compare an artifact with Keras layer by layer; exit code 1 where a layer is damaged."""
    from toolkit import golden
    from toolkit.parity import localize as by_layer
    from toolkit.parity.layers_chart import draw
    from toolkit.parity.verify import select

    if path.is_dir():
        raise UsageError(f"{path}: a folder; name one artifact")
    drawing.check(picture)
    ((found, (artifact,)),) = select([path])
    found.require(artifact, found.golden)
    result = by_layer.localize(found, artifact, golden.read(found.golden_path).images)
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
    for note in result.portability.notes:
        cause = result.portability.here and note == str(result.portability)
        console.text(f"cause: {note}" if cause else note)
    culprit = result.culprit
    named = f"first damaged layer: {culprit.name}" if culprit else "no layer is damaged"
    console.text(f"{path}: {named} (one that adds more noise than {result.least_db:.0f} dB); picture: {picture}")
    console.document(result.to_json())
    return 0 if result.passed else 1


def self_test(console: Console, paths: Sequence[Path], options: "VerifyOptions", reexports: int) -> int:
    """Plant faults, and print which the gate catches; exit code 1 where it is wrong about one."""
    from toolkit import extras
    from toolkit.parity.verify import load, select
    from toolkit.selftest import run as selftest

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
        result = selftest.self_test(
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
            "verdict": Verdict.of(passed),
        }
    )
    return 0 if passed else 1


def _decibels(ratio: float) -> str:
    return "exact" if ratio == inf else f"{ratio:.1f} dB"


def _by_golden(outcome: "FaultOutcome") -> str:
    return "not asked" if outcome.golden is None else ", ".join(outcome.golden) or "–"
