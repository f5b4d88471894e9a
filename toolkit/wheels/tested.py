"""The wheels that a device installs beside toolkit, with their SHA-256: the tested files, not only the tested versions.

``SHA256SUMS`` beside this module lists them, for every Python and architecture that all of them are built for.
``python -m tests.wheel_digests`` writes it, from what the package index has of ``constraints.txt``.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from toolkit.files import sums

# What LiteRT and ONNX Runtime are built for, on Linux.
ARCHITECTURES = ("aarch64", "x86_64")
# What installs the others. It is taken to a device without internet, and not installed there.
INSTALLER = "pip"
# What pip says of a file whose digest is not the one that was asked for.
_MISMATCH = re.compile(
    r"DO NOT MATCH THE HASHES.*?\s([\w.-]+==[\w.]+) from .*?Expected sha256 ([0-9a-f]{64})\s+Got\s+([0-9a-f]{64})",
    re.DOTALL,
)


@cache
def digests() -> Mapping[str, str]:
    """Return the SHA-256 of every tested wheel, by its file name."""
    return sums.read(Path(__file__).parent)


def digests_for(python: str, arch: str) -> dict[str, str]:
    """Return the digests of the wheels for a Python (``3.11`` or ``3.11.2``) on an architecture, by file name.

    Empty if a package has no tested wheel for them.
    """
    minor = int(python.split(".")[1])
    chosen = {wheel: digest for wheel, digest in digests().items() if _fits(wheel, minor, arch)}
    return chosen if {_name(wheel) for wheel in chosen} == {_name(wheel) for wheel in digests()} else {}


def pythons() -> list[str]:
    """Return the Pythons that all tested wheels are built for, on every architecture: ``3.11`` …"""
    tags = (re.search(r"-cp3(\d+)-cp3\1-", wheel) for wheel in digests())
    minors = sorted({int(tag[1]) for tag in tags if tag})
    return [f"3.{minor}" for minor in minors if all(digests_for(f"3.{minor}", arch) for arch in ARCHITECTURES)]


def requirements(wheels: Mapping[str, str]) -> list[str]:
    """Return the lines that tell pip to install these wheels and no other files (``--require-hashes``)."""
    return [f"{'=='.join(wheel.split('-')[:2])} --hash=sha256:{digest}" for wheel, digest in wheels.items()]


def explain_mismatch(output: str) -> str | None:
    """Return in a line which file was not the tested one, by what pip wrote; None if that was not what went wrong."""
    mismatch = _MISMATCH.search(output)
    if mismatch is None:
        return None
    package, expected, got = mismatch.groups()
    return f"the package index gives another file of {package} than the tested one (SHA-256 {got}, not {expected})"


def _fits(wheel: str, minor: int, arch: str) -> bool:
    """Say whether a wheel is for CPython 3.``minor``, by the tags of its name (PEP 425)."""
    python, abi, platforms = wheel.removesuffix(".whl").split("-")[-3:]
    if platforms == "any":
        return True
    older = abi == "abi3" and int(python.removeprefix("cp3")) < minor
    return platforms.endswith(f"_{arch}") and (python in (f"cp3{minor}", "py3") or older)


def _name(wheel: str) -> str:
    return wheel.partition("-")[0]
