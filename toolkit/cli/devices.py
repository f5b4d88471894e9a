"""What the verbs share that run on devices: how work is done on each of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from toolkit import locks
from toolkit.console import Console
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.remote.cargo import Cargo
    from toolkit.remote.device import Device
    from toolkit.remote.fleet import DeviceOutcome

Result = TypeVar("Result")
# Steps of the bar for each device.
STEPS = 100


def check(on: Sequence[str] | None, wheels: Path | None) -> None:
    """Raise UsageError for ``--wheels`` that does not go with anything, or is no folder of wheels."""
    if wheels is None:
        return
    if not on:
        raise UsageError("--wheels is what is taken along to a device; name one by --on")
    from toolkit.wheels.folder import check as check_wheels

    check_wheels(wheels)


def on_each(
    console: Console,
    destinations: Sequence[str],
    cargo: "Cargo",
    work: "Callable[[Device], Result]",
    *,
    wheels: Path | None,
    what: str,
) -> "list[DeviceOutcome[Result]]":
    """Do a piece of work on each device with a live display."""
    from toolkit.remote import fleet
    from toolkit.remote.device import Reporter
    from toolkit.remote.kit import Kit
    from toolkit.wheels.own import build_wheel

    done = dict.fromkeys(destinations, 0.0)
    with (
        locks.scratch() as scratch,
        console.progress(STEPS * len(destinations), what) as advance,
    ):

        def step(device: str, steps: int, total: int, text: str) -> None:
            done[device] = steps / total
            advance(round(STEPS * sum(done.values())), f"{device}: {text}")

        kit = Kit(build_wheel(scratch), wheels)
        return fleet.on_each(destinations, cargo, kit, work, Reporter(console.note, console.warn, step))
