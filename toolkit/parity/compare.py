"""Compare one artifact's outputs with the reference's, image by image, and judge."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import host, runtimes
from toolkit.convention import step_of
from toolkit.entries import MeasuredOn
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.manifest import Artifact, Manifest, TensorSpec
from toolkit.parity import checks, figures, other_kernels
from toolkit.parity.checks import Problem
from toolkit.parity.evidence import CANDIDATE_ROW, RowFile, candidate_rows
from toolkit.parity.figures import Figures
from toolkit.parity.material import Material
from toolkit.parity.statistics import DEFAULT_MARGIN_PP
from toolkit.portability import Portability
from toolkit.runtimes import for_file
from toolkit.runtimes.base import Opener
from toolkit.verdict import Verdict

# Gives the outputs for (N, …) rows of data.
Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Recorded:
    """An artifact's outputs beside those on the machine that exported it. ``step``: of a quantized output."""

    flips: int
    max_abs_error: float
    step: float | None

    @property
    def max_lsb(self) -> float | None:
        """The largest difference in steps of the output's quantization."""
        return None if self.step is None else self.max_abs_error / self.step


@dataclass(frozen=True)
class Comparison:
    """One artifact beside the reference. ``problem`` says why it fails whatever its accuracy; ``cause``, what of.

    reference_rounds: whether the reference was trained to round as integers do.
    """

    artifact: str
    runtime: str
    format: str | None
    quantization: str | None
    sha256: str
    margin_pp: float
    n: int
    figures: Figures | None = None
    recorded: Recorded | None = None
    problem: Problem | None = None
    cause: str | None = None
    portability: Portability | None = None
    by_golden: bool = False
    measured_on: MeasuredOn | None = None
    reference_rounds: bool = False
    table: RowFile | None = field(default=None, compare=False, repr=False)

    @property
    def verdict(self) -> Verdict:
        """Non-inferiority: pass if, with 95 % confidence, the loss is within the margin, fail if it is above it.

        By golden there are too few rows to speak of accuracy: no problem is a pass.
        """
        if self.problem is not None or self.figures is None:
            return Verdict.FAIL
        lower, upper = self.figures.bounds_pp
        if self.by_golden or upper <= self.margin_pp:
            return Verdict.PASS
        return Verdict.FAIL if lower > self.margin_pp else Verdict.INCONCLUSIVE

    @property
    def images_to_decide(self) -> int | None:
        """How many rows would decide an inconclusive comparison."""
        undecided = self.verdict == Verdict.INCONCLUSIVE and self.figures is not None
        return self.figures.images_to_decide(self.margin_pp) if undecided and self.figures else None

    def to_json(self) -> dict[str, Any]:
        """Return the result that scripts rely on; figures that do not exist are null."""
        measured = (
            self.figures.to_json(of_test_set=not self.by_golden) if self.figures else dict.fromkeys(figures.NAMES)
        )
        return {
            "artifact": self.artifact,
            "runtime": self.runtime,
            "format": self.format,
            "quantization": self.quantization,
            "sha256": self.sha256,
            "n": self.n,
            **measured,
            "margin_pp": self.margin_pp,
            "recorded_flips": self.recorded.flips if self.recorded else None,
            "recorded_max_abs_error": self.recorded.max_abs_error if self.recorded else None,
            "recorded_max_lsb": self.recorded.max_lsb if self.recorded else None,
            "verdict": self.verdict,
            "images_to_decide": self.images_to_decide,
            "failed_check": self.problem.check if self.problem else None,
            "problem": self.problem.text if self.problem else None,
            "cause": self.cause,
            "saturating": self.portability.saturating if self.portability else {},
            "not_analysed": list(self.portability.not_analysed) if self.portability else [],
            "measured_on": asdict(self.measured_on) if self.measured_on else None,
            **({"reference_rounds": True} if self.reference_rounds else {}),
        }


def overall(comparisons: list[Comparison]) -> Verdict:
    """Return the worst verdict."""
    verdicts = {comparison.verdict for comparison in comparisons}
    return next(verdict for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS) if verdict in verdicts)


def compare(
    manifest: Manifest,
    artifact: Artifact,
    expected: Material,
    *,
    margin_pp: float = DEFAULT_MARGIN_PP,
    open_session: Opener = runtimes.open_session,
) -> Comparison:
    """Run ``artifact`` over the rows of ``expected`` and compare with the outputs of the reference.

    Where ``expected`` holds recorded outputs of this very artifact, it is a comparison by golden. They are of its own
    runtime: what another one answers is compared with the reference alone. open_session: what opens the artifact, here
    or in a worker.
    """
    problem = checks.check_file(manifest, artifact)
    return Comparison(
        **_about(manifest.folder / artifact.path, expected, margin_pp),
        format=artifact.format,
        quantization=artifact.quantization,
        sha256=artifact.sha256,
        by_golden=artifact.path in expected.recorded,
        reference_rounds=manifest.calibration.is_trained,
        **({"problem": problem} if problem else _run(manifest, artifact, expected, open_session)),
    )


def compare_file(
    path: Path, expected: Material, answer: Answer, output: TensorSpec, *, margin_pp: float = DEFAULT_MARGIN_PP
) -> Comparison:
    """Compare a file that no manifest speaks of: its accuracy alone decides. answer: its outputs for (N, …) rows."""
    try:
        result = _look(expected, answer, output)
    except ArtifactError as error:
        result = {"problem": Problem("runs", str(error))}
    if "figures" in result:  # a file that did not answer is not opened here
        result["portability"] = runtimes.get(for_file(path)).portability(path)
    about = _about(path, expected, margin_pp)
    return Comparison(**about, format=None, quantization=None, sha256=sha256(path), **result)


def _about(path: Path, expected: Material, margin_pp: float) -> dict[str, Any]:
    """Return what a comparison says of any file, whatever it answers."""
    runtime, here = for_file(path), host.describe()
    versions = ", ".join(f"{name} {version}" for name, version in runtimes.versions(runtime).items())
    measured_on = MeasuredOn(here.cpu, here.kernels, versions)
    about = {"artifact": str(path), "runtime": runtime, "margin_pp": margin_pp, "n": len(expected.table)}
    return {**about, "measured_on": measured_on}


def _run(manifest: Manifest, artifact: Artifact, expected: Material, open_session: Opener) -> dict[str, Any]:
    """Return what a comparison says of an artifact whose file is the one that was exported."""
    path = manifest.folder / artifact.path
    try:
        session = open_session(path, threads=0)
        session.convention = expected.convention
        if problem := checks.check_specification(artifact, session.input, session.output):
            return {"problem": problem}
        recorded = expected.recorded.get(artifact.path) if runtimes.is_own(path) else None
        result = _look(expected, session.predict, session.output, recorded)
        if "figures" in result and not result["problem"]:
            result["problem"] = _judge(manifest, artifact, result["figures"], result["recorded"])
        portability = runtimes.get(for_file(path)).portability(path)
        problem = result["problem"] or checks.check_weights(portability)
        divergent = problem is not None and problem.check == checks.DIVERGENCE
        cause = other_kernels.why_divergent(path, expected, open_session) if divergent else None
    except ArtifactError as error:
        return {"problem": Problem("runs", str(error))}
    return {**result, "problem": problem, "cause": cause, "portability": portability}


def _judge(manifest: Manifest, artifact: Artifact, measured: Figures, recorded: Recorded | None) -> Problem | None:
    """Return what the checks of the outputs of a listed artifact come to."""
    problem = recorded and checks.check_recorded(
        artifact, recorded.flips, recorded.max_abs_error, recorded.step, measured.n
    )
    rounds = manifest.calibration.is_trained
    return problem or checks.check_outputs(artifact.quantization, measured, reference_rounds=rounds)


def _look(
    expected: Material, answer: Answer, output: TensorSpec, recorded: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """Return what a comparison says of the answers to all rows, which are looked at as they come."""
    table, not_finite, flips, difference, furthest = RowFile(CANDIDATE_ROW), 0, 0, 0.0, 0.0
    step = output.scale
    for images, reference in expected.batches():
        outputs = answer(images)
        if problem := checks.check_shape(outputs, reference):
            return {"problem": problem}
        if bad := checks.count_not_finite(outputs):
            not_finite += bad
            table.append(np.zeros(len(outputs), CANDIDATE_ROW))  # only the count of bad rows is reported
            continue
        if recorded is not None:
            before = recorded[len(table) : len(table) + len(outputs)]
            flips += int((outputs.argmax(axis=1) != before.argmax(axis=1)).sum())
            difference = max(difference, float(np.abs(outputs - before).max()))
        furthest = max(furthest, float(np.abs(outputs.sum(axis=1) - 1).max()))
        step = step or step_of(outputs)
        table.append(candidate_rows(outputs, reference, step=step, logits=expected.logits))
    if not_finite:
        return {"problem": checks.not_finite(not_finite, len(table))}
    problem = checks.check_sums(furthest, step, classes=expected.classes) if expected.sums_to_one else None
    return {
        "figures": figures.compute(expected.table, table, classes=expected.classes),
        "recorded": None if recorded is None else Recorded(flips, difference, output.scale),
        "table": table,
        "problem": problem,
    }
