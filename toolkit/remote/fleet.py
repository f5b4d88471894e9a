"""Several devices side by side, one piece of work at a time on each; one that fails leaves the others alone."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from toolkit.errors import DeviceError, ToolkitError, UsageError
from toolkit.remote import ssh
from toolkit.remote.cargo import Cargo
from toolkit.remote.device import Device, Reporter
from toolkit.remote.kit import Kit


class HasDocument(Protocol):
    """The result of a device."""

    def to_json(self) -> dict[str, Any]:
        """Return its document."""
        ...


Result = TypeVar("Result", bound=HasDocument)


@dataclass(frozen=True)
class DeviceOutcome(Generic[Result]):
    """What came of the work on one device: a result, or why there is none."""

    device: str
    result: Result | None = None
    error: ToolkitError | None = None

    def require(self) -> Result:
        """Return the result; raise the error if there is none."""
        if self.result is None:
            raise self.error or DeviceError(f"{self.device}: nothing came of it")
        return self.result

    def to_json(self) -> dict[str, Any]:
        """Return the document of the result, or the error, with the device."""
        told = {"error": str(self.error)} if self.result is None else self.result.to_json()
        return {**told, "device": self.device}


def on_each(
    destinations: Sequence[str], cargo: Cargo, kit: Kit, work: Callable[[Device], Result], reporter: Reporter
) -> list[DeviceOutcome[Result]]:
    """Prepare each device and do the work on it, all devices at once.

    Ctrl-C tells the devices to stop; what they then give is returned, KeyboardInterrupt if none gives anything.
    UsageError for a destination that is none or that is named twice.
    """
    for destination in destinations:
        ssh.check(destination)
    if len(set(destinations)) < len(destinations):
        raise UsageError("--on names a device twice; its measurements would disturb each other")
    stopped = threading.Event()

    def on_one(destination: str) -> DeviceOutcome[Result]:
        try:
            with ssh.Connection(destination, stopped) as connection:
                device = Device(connection, cargo, kit, reporter)
                device.prepare()
                return DeviceOutcome(destination, work(device))
        except ToolkitError as error:
            text = str(error)
            return _failed(destination, text if destination in text else f"{destination}: {text}", error)
        except KeyboardInterrupt as error:
            if stopped.is_set():
                raise
            return _failed(destination, f"{destination}: it was stopped there", error)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            return _failed(destination, f"{destination}: {where}{error.strerror or error}", error)
        except Exception as error:  # noqa: BLE001 — whatever one device sends, the others are left alone
            return _failed(destination, f"{destination}: its answer makes no sense ({error!r})", error)

    with ThreadPoolExecutor(len(destinations)) as pool:
        running = [pool.submit(on_one, destination) for destination in destinations]
        try:
            return [future.result() for future in running]
        except KeyboardInterrupt:
            stopped.set()
            return _of_stopped(running)


def _failed(destination: str, text: str, cause: BaseException) -> DeviceOutcome[Result]:
    error = DeviceError(text)
    error.__cause__ = cause
    return DeviceOutcome(destination, error=error)


def _of_stopped(running: Sequence[Future[DeviceOutcome[Result]]]) -> list[DeviceOutcome[Result]]:
    outcomes = []
    for future in running:
        try:
            outcomes.append(future.result())
        except KeyboardInterrupt:
            continue
    if not any(outcome.result for outcome in outcomes):
        raise KeyboardInterrupt
    return outcomes
