"""The exceptions of toolkit. Every message says what was given, what is allowed, and what to do.

ToolkitError                    exit 2: wrong usage or wrong input
├── UsageError                  an option or a name that does not exist, or options that contradict each other
├── DataError                   a data set or an image that is missing, damaged or of the wrong shape
│   ├── DataUnavailableError    a data set that is not on this machine and could not be fetched
│   └── ImageTooLargeError      an image of more pixels than are allowed
├── ArtifactError               a model file or manifest that is missing, damaged or changed
│   └── WorkerFailedError       a model file whose runtime crashed on it
├── RunError                    a run folder that is missing, unfinished or contradicts the request
├── BusyError                   a folder that another process is at work in
├── DeviceError                 a device that cannot be reached, lacks something or was lost
│   └── DeviceLostError         a device whose connection ended before its work did
├── MissingExtraError           a package that an extra of toolkit installs
└── CheckFailedError            exit 1: the work was done and its outcome is bad
    ├── DivergedError           a training loss that is no longer a number
    └── ExportFailedError       at least one artifact could not be converted

ToolkitWarning                  what was not done as asked, or must be known to read a result
"""

import sys
import warnings

# Exit code of a command that Ctrl-C ended: 128 + SIGINT, as shells have it.
INTERRUPTED = 130


class ToolkitError(Exception):
    """What every error that toolkit raises on purpose is a kind of."""

    exit_code = 2


class ToolkitWarning(UserWarning):
    """What was not done as asked, or must be known to read a result."""


class UsageError(ToolkitError):
    """An option or a name that does not exist, or options that contradict each other."""


class DataError(ToolkitError):
    """A data set or an image that is missing, damaged or of the wrong shape."""


class DataUnavailableError(DataError):
    """A data set that is not on this machine and could not be fetched."""


class ImageTooLargeError(DataError):
    """An image of more pixels than are allowed."""


class ArtifactError(ToolkitError):
    """A model file or manifest that is missing, damaged or changed."""


class WorkerFailedError(ArtifactError):
    """A model file whose runtime crashed on it."""


class RunError(ToolkitError):
    """A run folder that is missing, unfinished or contradicts the request."""


class BusyError(ToolkitError):
    """A folder that another process is at work in."""


class DeviceError(ToolkitError):
    """A device that cannot be reached, lacks something or was lost."""


class DeviceLostError(DeviceError):
    """A device whose connection ended before its work did."""


class MissingExtraError(ToolkitError):
    """A package that an extra of toolkit installs; without an extra, what a runtime of another package needs."""

    def __init__(self, package: str, extra: str | None) -> None:
        what = package if extra is None else f"edge-model-toolkit[{extra}]"
        super().__init__(f"{package} is not installed; install it with: pip install '{what}'")
        self.package = package
        self.extra = extra


class CheckFailedError(ToolkitError):
    """The work was done and its outcome is bad."""

    exit_code = 1


class DivergedError(CheckFailedError):
    """A training loss that is no longer a number."""


class ExportFailedError(CheckFailedError):
    """At least one artifact could not be converted."""


def warn(text: str) -> None:
    """Warn at the line that called toolkit."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "toolkit":
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, ToolkitWarning, stacklevel=depth)
