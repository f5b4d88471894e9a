"""``bench`` and ``verify`` on devices over SSH, on all of them at once."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from toolkit.api.base import BENCHMARKS, EXPORTED
from toolkit.errors import UsageError, warn
from toolkit.step import OnStep, Step, ignore

if TYPE_CHECKING:
    from toolkit.bench.plan import PlanOptions
    from toolkit.bench.record import Record
    from toolkit.remote.answer import DeviceParity
    from toolkit.remote.cargo import Cargo
    from toolkit.remote.device import Device
    from toolkit.remote.fleet import DeviceOutcome, Result

# Steps of the work on one device.
STEPS = 100


def bench_on(
    devices: Sequence[str],
    *paths: str | PathLike[str],
    output: str | PathLike[str] = BENCHMARKS,
    resume: str | PathLike[str] | None = None,
    wheels: str | PathLike[str] | None = None,
    on_step: OnStep = ignore,
    **plan: "Unpack[PlanOptions]",
) -> "list[DeviceOutcome[Record]]":
    """Time artifacts on devices, as ``bench`` does here.

    devices: each ``user@host``, or a name of ``~/.ssh/config``. paths, output, plan: as ``bench`` has them. resume: the
    folder of a record that was cut off; what it lacks is measured, on the same device. wheels: for devices without
    internet, the folder that ``wheels`` has filled. on_step: called in the thread of each device.

    There is one outcome for each device: a ``.result``, or an ``.error`` that says why there is none. Ctrl-C ends it,
    with what was measured. Raises UsageError for a name that is no device's or is there twice, for a folder that is not
    one of wheels, and for a record of which nothing is left to measure, ArtifactError if there is nothing to measure.
    """
    from toolkit.bench.plan import Plan
    from toolkit.bench.record import read
    from toolkit.bench.resume import rest
    from toolkit.remote import cargo

    whole, earlier, folder = Plan(**plan), None, Path(output)
    if resume is not None:
        if len(devices) > 1:
            raise UsageError("--resume is of the record of one device; name one by --on")
        earlier = read(Path(resume))
        rest(earlier, whole)  # says at once if nothing is left
    taken = cargo.to_bench(_paths(paths))
    return _on_each(devices, taken, lambda device: device.bench(whole, folder, earlier), wheels, on_step)


def verify_on(
    devices: Sequence[str],
    *paths: str | PathLike[str],
    wheels: str | PathLike[str] | None = None,
    on_step: OnStep = ignore,
) -> "list[DeviceOutcome[DeviceParity]]":
    """Compare artifacts with their recorded outputs on devices, as ``verify`` does here with ``golden``.

    devices, wheels: as ``bench_on`` has them, and what is returned and raised.
    """
    from toolkit.remote import cargo

    return _on_each(devices, cargo.to_verify(_paths(paths)), lambda device: device.verify(), wheels, on_step)


def _paths(paths: Sequence[str | PathLike[str]]) -> list[Path]:
    return [Path(path) for path in paths] or [EXPORTED]


def _on_each(
    devices: Sequence[str],
    cargo: "Cargo",
    work: "Callable[[Device], Result]",
    wheels: str | PathLike[str] | None,
    on_step: OnStep,
) -> "list[DeviceOutcome[Result]]":
    from toolkit import locks
    from toolkit.remote import fleet
    from toolkit.remote.device import Reporter
    from toolkit.remote.kit import Kit
    from toolkit.wheels import folder, own

    packages = None if wheels is None else Path(wheels)
    if packages is not None:
        folder.check(packages)
    done = dict.fromkeys(devices, 0.0)

    def tell(text: str, *, is_news: bool = True) -> None:
        on_step(Step(round(STEPS * sum(done.values())), STEPS * len(done), text, is_news=is_news))

    def step(device: str, steps: int, total: int, text: str) -> None:
        done[device] = steps / total
        tell(f"{device}: {text}", is_news=False)

    with locks.scratch() as scratch:
        kit = Kit(own.build_wheel(scratch), packages)
        return fleet.on_each(devices, cargo, kit, work, Reporter(tell, warn, step))
