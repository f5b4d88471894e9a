"""Compare one artifact's outputs with the reference's, image by image, and judge."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import host, runtimes
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

        By golden there are too few images to speak of accuracy: no problem is a pass.
        """
        if self.problem is not None or self.figures is None:
            return Verdict.FAIL
        lower, upper = self.figures.bounds_pp
        if self.by_golden or upper <= self.margin_pp:
            return Verdict.PASS
        return Verdict.FAIL if lower > self.margin_pp else Verdict.INCONCLUSIVE

    @property
    def images_to_decide(self) -> int | None:
        """How many images would decide an inconclusive comparison."""
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
    """Run ``artifact`` over the images of ``expected`` and compare with the outputs of the reference.

    Where ``expected`` holds recorded outputs of this very artifact, it is a comparison by golden. They are of its own
    runtime: what another one answers is compared with the reference alone. open_session: what opens the artifact, here
    or in a worker.
    """
    path = manifest.folder / artifact.path
    recorded = expected.recorded.get(artifact.path)
    result: dict[str, Any] = {}
    problem = checks.check_file(manifest, artifact)
    if problem is None:
        try:
            result = _run(manifest, artifact, expected, open_session)
        except ArtifactError as error:
            result = {"problem": Problem("runs", str(error))}
    runtime = for_file(path)
    return Comparison(
        artifact=str(path),
        runtime=runtime,
        format=artifact.format,
        quantization=artifact.quantization,
        sha256=artifact.sha256,
        margin_pp=margin_pp,
        n=len(expected.table),
        by_golden=recorded is not None,
        measured_on=_measured_on(runtime),
        reference_rounds=manifest.calibration.is_trained,
        **({"problem": problem} | result),
    )


def _measured_on(runtime: str) -> MeasuredOn:
    versions = ", ".join(f"{name} {version}" for name, version in runtimes.versions(runtime).items())
    here = host.describe()
    return MeasuredOn(here.cpu, here.kernels, versions)


def _run(manifest: Manifest, artifact: Artifact, expected: Material, open_session: Opener) -> dict[str, Any]:
    """Return what a comparison says of an artifact whose file is the one that was exported."""
    path = manifest.folder / artifact.path
    session = open_session(path, threads=0)
    session.convention = expected.convention
    if problem := checks.check_specification(artifact, session.input, session.output):
        return {"problem": problem}
    recorded = expected.recorded.get(artifact.path) if runtimes.is_own(path) else None
    rounds = manifest.calibration.is_trained
    seen = _Outputs(expected, recorded, session.output.scale, reference_rounds=rounds)
    result = seen.look(session.predict, session.output, artifact)
    portability = runtimes.get(for_file(path)).portability(path)
    problem = result.get("problem") or checks.check_weights(portability)
    divergent = problem is not None and problem.check == checks.DIVERGENCE
    cause = other_kernels.why_divergent(path, expected, open_session) if divergent else None
    return {**result, "problem": problem, "cause": cause, "portability": portability}


def compare_file(
    path: Path,
    expected: Material,
    answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    output: TensorSpec,
    *,
    margin_pp: float = DEFAULT_MARGIN_PP,
) -> Comparison:
    """Compare a file that no manifest speaks of: its accuracy alone decides. answer: its outputs for (N, …) images."""
    try:
        result = _Outputs(expected, None, output.scale).look(answer, output)
    except ArtifactError as error:
        result = {"problem": Problem("runs", str(error))}
    runtime = for_file(path)
    if "figures" in result:  # a file that did not answer is not opened here
        result["portability"] = runtimes.get(runtime).portability(path)
    return Comparison(
        artifact=str(path),
        runtime=runtime,
        format=None,
        quantization=None,
        sha256=sha256(path),
        margin_pp=margin_pp,
        n=len(expected.table),
        measured_on=_measured_on(runtime),
        **result,
    )


class _Outputs:
    """The outputs of one artifact as they come: kept image by image, and looked over."""

    def __init__(
        self,
        expected: Material,
        recorded: NDArray[np.float32] | None,
        step: float | None,
        *,
        reference_rounds: bool = False,
    ) -> None:
        self._expected = expected
        self._reference_rounds = reference_rounds
        self._step = step
        self._recorded = recorded
        self._table = RowFile(CANDIDATE_ROW)
        self._sums = checks.Sums(expected.classes)
        self._not_finite = 0
        self._flips = 0
        self._difference = 0.0

    def look(
        self,
        answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
        output: TensorSpec,
        artifact: Artifact | None = None,
    ) -> dict[str, Any]:
        """Return what a comparison says of the answers to all images. artifact: as a manifest lists it."""
        for images, reference in self._expected.batches():
            outputs = answer(images)
            if problem := checks.check_shape(outputs, reference):
                return {"problem": problem}
            self._add(outputs, reference)
        return self._result(artifact, output)

    def _add(self, outputs: NDArray[np.float32], reference: NDArray[np.float32]) -> None:
        bad = checks.count_not_finite(outputs)
        self._not_finite += bad
        if bad:
            self._table.append(np.zeros(len(outputs), CANDIDATE_ROW))  # only the count of bad images is reported
            return
        if self._recorded is not None:
            before = self._recorded[len(self._table) : len(self._table) + len(outputs)]
            self._flips += int((outputs.argmax(axis=1) != before.argmax(axis=1)).sum())
            self._difference = max(self._difference, float(np.abs(outputs - before).max()))
        self._sums.add(outputs)
        rows = candidate_rows(outputs, reference, step=self._step, logits=self._expected.logits)
        self._table.append(rows)

    def _result(self, artifact: Artifact | None, output: TensorSpec) -> dict[str, Any]:
        if self._not_finite:
            return {"problem": checks.not_finite(self._not_finite, len(self._table))}
        measured = figures.compute(self._expected.table, self._table, classes=self._expected.classes)
        recorded = None
        if self._recorded is not None:
            recorded = Recorded(self._flips, self._difference, self._step)
        problem = self._sums.problem(output) if self._expected.sums_to_one else None
        if artifact is None:
            return {"figures": measured, "table": self._table, "problem": problem}
        if problem is None and recorded is not None:
            problem = checks.check_recorded(artifact, recorded.flips, recorded.max_abs_error, recorded.step, measured.n)
        if problem is None:
            problem = checks.check_outputs(artifact.quantization, measured, reference_rounds=self._reference_rounds)
        return {"figures": measured, "recorded": recorded, "table": self._table, "problem": problem}
