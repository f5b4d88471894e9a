"""What a device is given, and what works on a machine."""

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.api.base import BENCHMARKS, EXPORTED
from toolkit.api.road import bench
from toolkit.errors import warn
from toolkit.step import OnStep, Step, ignore
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bundle.check import Checked
    from toolkit.bundle.choose import ChosenArtifact
    from toolkit.bundle.make import Bundle
    from toolkit.doctor.report import DoctorReport
    from toolkit.manifest import Manifest
    from toolkit.wheels.folder import WheelFolder


def bundle(
    model: str | PathLike[str], *, output: str | PathLike[str] | None = None, on_step: OnStep = ignore
) -> "Bundle":
    """Pack one file for a device: an artifact, its golden and manifest, a wheel, and ``classify.py``, which runs it.

    model: a folder of artifacts, the name of one in ``exported/``, or one artifact. Of a folder that artifact is taken
    which the newest benchmark in ``benchmarks/`` that was made here recommends; if there is none, one is made. output:
    the file; None stands for ``MODEL-QUANTIZATION-FORMAT.zip``, here.

    ``.path`` is the file, ``.artifact`` what is in it, ``.why`` it was chosen, ``.winner`` the setting of its runtime
    that was surely faster in the newest benchmark made here that tried some; ``.to_json()`` is the document of
    ``toolkit bundle --json``. Ctrl-C ends it without a file. Raises ArtifactError if no artifact is there, or if none
    can be recommended, UsageError if ``output`` is no plain file.
    """
    from toolkit.bundle import choose
    from toolkit.bundle.make import make

    manifest, named = choose.resolve(fspath(model), EXPORTED)
    choice = named or _recommended(manifest, on_step)
    if choice.artifact.verdict == Verdict.FAIL:
        warn(f"{choice.artifact.path} failed its verification")
    if named and (why := choose.divergence_here(manifest, named)):
        warn(f"{named.artifact.path} answers differently here than its golden says: {why}")
    path = None if output is None else Path(output)
    winner = choose.tuned(manifest, choice.artifact, BENCHMARKS)
    return make(manifest, choice.artifact, path, why=choice.why, record=choice.record, winner=winner)


def check_bundle(bundle: str | PathLike[str]) -> "Checked":
    """Check a bundle: that it unpacks safely, and that every file in it is the one that was packed; true if so.

    ``.problems`` has a sentence for each file that is not. Raises ArtifactError for a file that is no bundle, or that
    could be written outside its folder.
    """
    from toolkit.bundle.check import check

    return check(Path(bundle))


def doctor(*paths: str | PathLike[str], on_step: OnStep = ignore) -> "DoctorReport":
    """Try what is installed on this machine, and look at its state and at artifacts; true if nothing is broken.

    paths: artifacts or folders of them; none stands for ``exported/``, if it is there. ``.findings`` has what is not as
    it should be, each with its ``.remedy``; ``.to_json()`` is the document of ``toolkit doctor --json``, for a bug
    report: it holds nothing private. Raises ArtifactError for a path that does not exist.
    """
    from toolkit.doctor.report import examine

    given: Sequence[str | PathLike[str]] = paths or ([EXPORTED] if EXPORTED.is_dir() else [])
    return examine([Path(path) for path in given], on_step=on_step)


def wheels(folder: str | PathLike[str] = "wheels", *, python: str = "3.11", arch: str = "aarch64") -> "WheelFolder":
    """Download what a device without internet installs: pip, and the tested wheels of all that the toolkit needs there.

    What is there already is not downloaded again. python: of the device, its first two numbers. arch: ``aarch64`` or
    ``x86_64``. ``.wheels`` are the files, that of this toolkit among them. Raises UsageError if no wheels are tested
    for that Python, DeviceError if one cannot be had or is not the tested file, BusyError if another process fills the
    folder.
    """
    from toolkit.wheels.folder import fill

    return fill(Path(folder), python=python, arch=arch)


def _recommended(manifest: "Manifest", on_step: OnStep) -> "ChosenArtifact":
    """Ask the newest benchmark that was made here, or make one."""
    from toolkit.bundle import choose

    why = f"{manifest.folder}: no benchmark of these artifacts in {BENCHMARKS}/ was made here"
    if choice := choose.recommended(manifest, BENCHMARKS):
        otherwise = choose.divergence_here(manifest, choice)
        if otherwise is None:
            return choice
        why = f"{choice.artifact.path}, which {choice.record} recommends, answers differently here by now ({otherwise})"
    on_step(Step(0, 1, f"{why}: measuring", is_news=True))
    record = bench(manifest.folder, on_step=on_step)
    if record.interrupted:
        raise KeyboardInterrupt
    return choose.recommendation(record.to_json(), manifest)
