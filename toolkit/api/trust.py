"""Tests of the tests: the benchmark on known differences, the gate on known faults; an artifact layer by layer."""

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import drawing, extras
from toolkit.api.base import BENCHMARKS, EXPORTED, loading
from toolkit.errors import UsageError, warn
from toolkit.parity.statistics import DEFAULT_MARGIN_PP
from toolkit.step import OnStep, ignore

if TYPE_CHECKING:
    from toolkit.bench.certify import Certificate
    from toolkit.parity.causes import Diagnosis
    from toolkit.parity.localize import Localized
    from toolkit.reading import Reading
    from toolkit.selftest.run import SelfTests


def certify(
    path: str | PathLike[str] = EXPORTED,
    *,
    seconds: float = 1.0,
    processes: int = 5,
    seed: int = 0,
    output: str | PathLike[str] = BENCHMARKS,
    on_step: OnStep = ignore,
) -> "Certificate":
    """Test the benchmark: time an artifact beside itself and beside slowed copies of itself, for up to three minutes.

    path: an artifact, or a folder whose smallest is taken. seconds, processes: of a trial, as ``bench`` has them. seed:
    of the order of blocks, and of what makes a trial. output: the folder that gets a folder with the certificate and
    the raw samples.

    ``.passed`` says whether it is called different from itself in at most 5 % of the trials, 2 and 5 % of slow-down are
    seen, and the intervals hold the truth; ``.detectable`` is the smallest slow-down, a share, that was seen in most
    trials. Ctrl-C ends it after the last whole round. Raises ArtifactError if the artifact cannot be measured or the
    machine is emulated.
    """
    from toolkit.bench import candidates, certify
    from toolkit.bench.plan import Plan
    from toolkit.bench.record import new_folder

    plan = Plan(seconds=seconds, processes=processes, seed=seed)
    chosen = candidates.select([Path(path)], warn=warn)
    smallest = min(chosen, key=lambda candidate: candidate.path.stat().st_size)
    return certify.certify(smallest, new_folder(Path(output)), plan, on_step=on_step)


def diagnose(
    artifact: str | PathLike[str],
    *,
    against: str | PathLike[str],
    data: str | PathLike[str],
    reading: "Reading | None" = None,
    input_range: str | None = None,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
) -> "Diagnosis":
    """Find out why a file of any format does not answer as another model does, on the test images of ``data``.

    reading: how the data are read. input_range: which values the pixels become for it, as ``--input-range`` takes it;
    None stands for what its manifest or the file itself says, else ``0..1``. imports, unsafe_lambda: as for ``export``.

    ``.causes`` are what it means otherwise, each with the share of equal answers before and after, on images that it
    was not fitted on; ``.explained`` says whether they agree then. Raises ArtifactError if one of the two is no
    classifier of these images, DataError for data that cannot be had.
    """
    from toolkit.convention import parse
    from toolkit.parity.causes import diagnose
    from toolkit.runtimes.keras.loading import allowing

    given = None if input_range is None else parse(input_range)
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        return diagnose(Path(artifact), Path(against), loading(data, reading), given=given, warn=warn)


def localize(
    artifact: str | PathLike[str],
    *,
    picture: str | PathLike[str] | None = None,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    runtime: str | None = None,
) -> "Localized":
    """Compare an artifact with its Keras original layer by layer, on the images of its golden.

    picture: a .png or .svg file to draw the layers into. imports, unsafe_lambda: as for ``export``. runtime: as for
    ``verify``. ``.layers`` has the noise of each, as a ratio of signal to noise in dB; ``.culprit`` is the first that
    adds more than its arithmetic explains, None if none does. Raises UsageError for a folder, ArtifactError if the
    artifact, its golden or its Keras original is missing or damaged, MissingExtraError without TensorFlow.
    """
    from toolkit import golden
    from toolkit.parity import layers_chart, localize
    from toolkit.parity.verify import select
    from toolkit.runtimes import choosing
    from toolkit.runtimes.keras.loading import allowing

    path = Path(artifact)
    if path.is_dir():
        raise UsageError(f"{path}: a folder; name one artifact")
    if picture is not None:
        drawing.check(Path(picture))
    ((manifest, (listed,)),) = select([path])
    manifest.require(listed, manifest.golden)
    with choosing(runtime), allowing(imports, unsafe_lambda=unsafe_lambda):
        localized = localize.localize(manifest, listed, golden.read(manifest.golden_path).images)
    if picture is not None:
        layers_chart.draw(Path(picture), localized)
    return localized


def selftest(
    *paths: str | PathLike[str],
    data: str | PathLike[str] | None = None,
    margin_pp: float = DEFAULT_MARGIN_PP,
    reexports: int = 20,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
) -> "SelfTests":
    """Test ``verify``: plant faults into copies of the artifacts, and see which check catches each.

    paths: folders of artifacts, or files in them; none stands for ``exported/``. data, margin_pp, imports,
    unsafe_lambda, allow_overlap: as ``verify`` has them. reexports: how many exports without a fault are judged too.
    ``.passed`` says whether every fault was caught and at most 5 % of the faultless exports were called a failure.
    Raises what ``verify`` raises, and MissingExtraError without TensorFlow.
    """
    from toolkit.parity.verify import VerifyOptions, load, select
    from toolkit.runtimes.keras.loading import allowing
    from toolkit.selftest.run import SelfTests, self_test

    extras.require("tensorflow")
    options = VerifyOptions(None if data is None else fspath(data), margin_pp=margin_pp, allow_overlap=allow_overlap)
    chosen = [Path(path) for path in paths or (EXPORTED,)]
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        return SelfTests(
            tuple(
                self_test(
                    manifest,
                    load(manifest, options, warn),
                    options=options,
                    reexports=reexports,
                    warn=warn,
                    on_step=on_step,
                )
                for manifest, _ in select(chosen)
            )
        )
