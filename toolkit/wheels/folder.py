"""Fill a folder with the wheels that a device without internet installs from."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import locks, programs
from toolkit.errors import DeviceError, UsageError
from toolkit.files import atomic, sha256
from toolkit.text import lines
from toolkit.wheels import tested
from toolkit.wheels.own import build_wheel
from toolkit.wheels.tested import ARCHITECTURES

# The C libraries that wheels may ask for: up to glibc 2.36, that of the oldest system, Raspberry Pi OS Bookworm.
GLIBC_MINORS = range(17, 37)


@dataclass(frozen=True)
class WheelFolder:
    """A folder that was filled for a Python (``3.11``) on an architecture. wheels: its files."""

    path: Path
    python: str
    arch: str
    wheels: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit wheels --json``."""
        return {
            "schema": 1,
            "command": "wheels",
            "folder": str(self.path),
            "python": self.python,
            "arch": self.arch,
            "wheels": [
                {"path": str(wheel), "size_bytes": wheel.stat().st_size, "sha256": sha256(wheel)}
                for wheel in self.wheels
            ],
        }


def fill(folder: Path, *, python: str, arch: str) -> WheelFolder:
    """Download pip and the tested wheels of all that the extra ``edge`` needs, and add a wheel of this toolkit.

    What is there already is not downloaded again. UsageError if no wheels are tested for that Python, DeviceError if
    one cannot be had, or is not the tested file.
    """
    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch is '{arch}'; LiteRT and ONNX Runtime are built for {', '.join(ARCHITECTURES)}")
    if python not in tested.pythons():
        pythons = ", ".join(tested.pythons())
        raise UsageError(f"--python is '{python}'; allowed: {pythons} (the first two numbers of the device's Python)")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: not a folder")
    with locks.alone(folder, "wheels", otherwise="choose another folder"), locks.scratch() as scratch:
        wanted = tested.digests_for(python, arch)
        missing = {
            wheel: digest
            for wheel, digest in wanted.items()
            if not ((folder / wheel).is_file() and sha256(folder / wheel) == digest)
        }
        if missing:
            listed = scratch / "requirements.txt"
            listed.write_text("\n".join(tested.requirements(missing)), encoding="utf-8")
            download(["--require-hashes", "--requirement", str(listed)], scratch, python=python, arch=arch)
        for wheel in missing:
            with atomic(folder / wheel) as temporary:
                shutil.copyfile(scratch / wheel, temporary)
        wheels = sorted([build_wheel(folder), *(folder / wheel for wheel in wanted)])
        return WheelFolder(folder, python, arch, tuple(wheels))


def check(folder: Path) -> None:
    """Raise UsageError if a folder has none of the tested wheels, or another file in the place of one."""
    remedy = f"fill the folder with: toolkit wheels --python 3.11 --arch aarch64 {folder}"
    there = {folder / wheel: digest for wheel, digest in tested.digests().items() if (folder / wheel).is_file()}
    if not there:
        raise UsageError(f"{folder}: none of the tested wheels is there; {remedy}")
    for wheel, digest in there.items():
        if sha256(wheel) != digest:
            raise UsageError(f"{wheel}: not the tested file, by its SHA-256; {remedy}")


def download(wanted: Sequence[str], folder: Path, *, python: str, arch: str) -> None:
    """Let pip put wheels for a Python on Linux into a folder. wanted: its arguments; nothing that these need comes too.

    DeviceError if one cannot be had, or is not the file that is asked for.
    """
    platforms = [f"--platform=manylinux_2_{minor}_{arch}" for minor in GLIBC_MINORS]
    target = ["--only-binary=:all:", "--no-deps", f"--python-version={python}", f"--platform=manylinux2014_{arch}"]
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    ended = programs.run(
        [*pip, *target, *platforms, "--dest", str(folder), *wanted],
        variables={**os.environ, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8"},
    )
    if ended.code != 0:
        said = tested.explain_mismatch(ended.errors) or (lines(ended.errors) or ["pip gave no reason"])[-1]
        raise DeviceError(f"not all wheels for Python {python} on {arch} were to be had: {said}")
