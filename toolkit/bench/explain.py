"""Say why: take artifacts apart, in workers, once they are measured, and compare them with what the machine can do."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from toolkit import host, runtimes
from toolkit import manifest as manifests
from toolkit.bench import reasons, roofline, statistics
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.explanation import Explanation
from toolkit.bench.profile import Profile
from toolkit.bench.reasons import Evidence
from toolkit.bench.record import Record
from toolkit.bench.result import Result
from toolkit.bench.roofline import Roofs
from toolkit.bench.statistics import SpeedVerdict
from toolkit.bench.tasks import PROBE, PROFILE
from toolkit.errors import ArtifactError
from toolkit.files import documents
from toolkit.runtimes.base.graph import Shapes
from toolkit.step import OnStep, Step, ignore
from toolkit.worker.process import Process

# Seconds that a worker may take longer than any other answer.
PATIENCE_S = 60.0


def explain(record: Record, *, everything: bool, shapes: Shapes | None = None, on_step: OnStep = ignore) -> None:
    """Add to a record, and save, why integer artifacts are not faster than float32, and with everything what each
    artifact computes and how near it comes to what this machine can do.

    shapes: of inputs, by name, as they were measured. An artifact that cannot be taken apart says so in its own entry.
    Ctrl-C keeps what is explained.
    """
    puzzling = [result for result in record.results if _puzzles(record, result)]
    chosen = list(record.results) if everything else puzzling
    roofs: dict[tuple[str, int], Roofs] = {}
    profiles: dict[str, Profile] = {}
    try:
        for number, result in enumerate(chosen):
            on_step(Step(number, len(chosen), f"taking {result.path.name} apart", result))
            baseline = record.baseline(result) if result in puzzling else None
            for one in (result, baseline):
                if one is not None and one.samples not in profiles:
                    profiles[one.samples] = _profile(record, one, shapes)
            reason = _reason(record, result, baseline, profiles) if baseline else None
            explanation = Explanation(profiles[result.samples], None, reason)
            if everything and not record.host.emulated:
                explanation = _under_roof(record, result, explanation, roofs)
            record.why[result.samples] = explanation
    except KeyboardInterrupt:
        record.interrupted = True
    if record.why or record.interrupted:
        record.save()


def _puzzles(record: Record, result: Result) -> bool:
    """Say whether an artifact should be faster than it is: int8 that is not faster, whatever is slower."""
    speedup = record.speedup(result)
    if record.host.emulated or speedup is None:
        return False
    verdict = statistics.verdict(speedup)
    return verdict == SpeedVerdict.SLOWER or (verdict != SpeedVerdict.FASTER and "int8" in (result.quantization or ""))


def _profile(record: Record, result: Result, shapes: Shapes | None) -> Profile:
    try:
        candidate = Candidate(result.path, result.runtime, manifests.listing(result.path), shapes or {})
        told = Configuration(candidate, result.threads, result.batch).told
        return documents.convert(
            _asked({"do": PROFILE, "timed": not record.host.emulated, **told}, result),
            Profile,
            result.path,
            what="a profile",
        )
    except ArtifactError as error:
        return Profile((), None, f"it could not be taken apart: {error}")


def _asked(question: dict[str, Any], result: Result) -> dict[str, Any]:
    with closing(Process(f"{result.path}: {result.runtime}", "toolkit.bench.tasks")) as process:
        return process.ask(question, seconds=PATIENCE_S)[0]


def _reason(record: Record, result: Result, baseline: Result, profiles: dict[str, Profile]) -> str:
    evidence = Evidence(
        candidate=profiles[result.samples],
        baseline=profiles[baseline.samples],
        threads=result.threads,
        fewer_threads=_faster_with_fewer(record.results, result),
        arch=record.host.arch,
        multiplies_bytes=host.multiplies_bytes(),
    )
    return reasons.why(evidence)


def _faster_with_fewer(results: Sequence[Result], result: Result) -> int | None:
    """Return the number of threads, smaller than a result's, with which the artifact is surely and most faster."""
    faster = []
    for other in results:
        same = (other.path, other.runtime, other.batch) == (result.path, result.runtime, result.batch)
        if same and other.threads < result.threads:
            speedup = statistics.speedup(result.invoke, other.invoke)
            if statistics.verdict(speedup) == SpeedVerdict.FASTER:
                faster.append((speedup.value, other.threads))
    return max(faster)[1] if faster else None


def _under_roof(record: Record, result: Result, bare: Explanation, roofs: dict[tuple[str, int], Roofs]) -> Explanation:
    """Add the roofline: from the cache, else measured, and again if the artifact is above it."""
    configuration, arithmetic = (result.runtime, result.threads), bare.profile.arithmetic or ""
    cache = roofline.kept(record.host, runtimes.versions(result.runtime), result.runtime, threads=result.threads)
    known = roofs.get(configuration) or cache.read(Roofs)
    measured_now = not known
    if not known:
        known = _probed(result)
        if known is None:
            return bare
        cache.write(known)
    explanation = replace(bare, roofline=known.get(arithmetic))
    share = explanation.share(result.median.value) or 0.0
    # Above the roof, which was then measured in a bad moment.
    if share > 1 and configuration not in roofs and not measured_now and (again := _probed(result)):
        known = roofline.higher(known, again)
        cache.write(known)
        explanation = replace(bare, roofline=known.get(arithmetic))
    roofs[configuration] = known
    return explanation


def _probed(result: Result) -> Roofs | None:
    try:
        answer = _asked({"do": PROBE, "runtime": result.runtime, "threads": result.threads}, result)
    except ArtifactError:  # a machine without the memory for the probes: no roof, and all else is told
        return None
    return documents.convert(answer["roofs"], Roofs, result.path, what="what a runtime does at best")
