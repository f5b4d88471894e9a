"""From how a process ended to one line, and the command that mends it."""

import re

from toolkit.constraints import normalized, requirement, tested
from toolkit.doctor.remedy import pip

# Distributions whose modules have another name.
DISTRIBUTION_OF = {"google": "protobuf", "PIL": "pillow", "yaml": "PyYAML"}
# Without these there is no toolkit.
ESSENTIAL = ("numpy",)
# What protobuf says where generated code and library are of versions that do not go together.
_PROTOBUF = re.compile(
    r"Descriptors cannot be created|Protobuf Gencode|google\.(protobuf|_upb)|duplicate file name|Couldn't build proto"
)
_NUMPY_ABI = re.compile(r"numpy\.dtype size changed|compiled using NumPy|numpy\.core\.multiarray|_ARRAY_API")
_OLD_SYSTEM = re.compile(r"version [`'](GLIBC(?:XX)?_[0-9.]+)' not found")
_MISSING_MODULE = re.compile(r"No module named '([^'.]+)")


def explain_error(error: str, distribution: str, doing: str) -> tuple[str, str | None]:
    """Return (what happened, what mends it) for an exception, given as its last line."""
    said = " ".join(error.split())
    text = f"{distribution} fails when {doing}: {said}"
    if missing := _MISSING_MODULE.search(error):
        return text, _reinstall(_distribution_of(missing[1], distribution))
    if old := _OLD_SYSTEM.search(error):
        return f"{distribution} needs a newer system ({old[1]})", "install 64-bit Raspberry Pi OS Bookworm or newer"
    if _NUMPY_ABI.search(error):
        return f"{distribution} and numpy are of versions that do not go together: {said}", _reinstall("numpy")
    if _PROTOBUF.search(error):
        return f"{distribution} and protobuf are of versions that do not go together: {said}", _reinstall("protobuf")
    return text, _reinstall(distribution)


def explain_signal(ended_by: str, distribution: str, doing: str, version: str | None) -> tuple[str, str | None]:
    """Return (what happened, what mends it) for a process that a signal ended."""
    text = f"{distribution} was ended by {ended_by} when {doing}"
    if ended_by == "SIGKILL":
        return (
            f"{text}: most likely the memory did not suffice",
            "close other programs or add swap space, and try again",
        )
    if ended_by == "SIGILL":
        text += ": it uses an instruction that this CPU does not have"
        # If the tested version is installed already, pip would bring the same files again.
        same = version is not None and version == tested().get(normalized(distribution))
        if same and distribution not in ESSENTIAL:
            return text, pip(f"uninstall {distribution}")
    return text, _reinstall(distribution)


def explain_timeout(seconds: float, distribution: str, doing: str) -> tuple[str, str | None]:
    """Return (what happened, what mends it) for a process that had to be ended."""
    return f"{distribution} did not come to an end in {seconds:g} s when {doing}", _reinstall(distribution)


def explain_missing_files(distribution: str, *, known: bool) -> tuple[str, str | None]:
    """Return (what happened, what mends it) for a package without its files. known: whether pip still lists it."""
    what = "is listed as installed, but its files are missing" if known else "is not installed"
    return f"{distribution} {what}", _reinstall(distribution)


def _reinstall(distribution: str) -> str | None:
    """Return what installs a distribution anew; None for a name that is none of those that toolkit installs."""
    if normalized(distribution) not in tested():
        return None
    return pip(f"install --force-reinstall --no-deps {requirement(distribution)}")


def _distribution_of(module: str, distribution: str) -> str:
    """Return the distribution that brings a missing module, if that is known; else the one that wants it."""
    name = DISTRIBUTION_OF.get(module, module)
    return name if normalized(name) in tested() else distribution
