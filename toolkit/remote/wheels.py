"""Fill a folder with the wheels that a device without internet installs from."""

import email
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from toolkit import constraints, extras, locks
from toolkit.errors import DeviceError, UsageError
from toolkit.files import atomic, sha256, sums
from toolkit.files.sums import SUMS
from toolkit.remote.device import EXTRA
from toolkit.remote.ssh import OLDEST_PYTHON
from toolkit.text import lines
from toolkit.wheel import build_wheel

ARCHITECTURES = ("aarch64", "x86_64")
# The C libraries that wheels may ask for: up to glibc 2.36, that of the oldest system, Raspberry Pi OS Bookworm.
GLIBC_MINORS = range(17, 37)
# What installs the others, and itself needs none.
INSTALLER = "pip"


def fill(folder: Path, *, python: str, arch: str, on_step: Callable[[str], None] = lambda name: None) -> list[Path]:
    """Download pip and the tested versions of all that the extra ``edge`` needs, for a Python (``3.11``) on Linux.

    Their digests are listed beside them, for ``check``.

    What a wheel requires is read from itself and judged for the device: ``pip download --platform`` would judge it for
    this machine (https://github.com/pypa/pip/issues/11664). UsageError for what no wheel exists for, DeviceError where
    one could not be had.
    """
    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch is '{arch}'; LiteRT and ONNX Runtime are built for {', '.join(ARCHITECTURES)}")
    version = re.fullmatch(r"3\.(\d+)", python)
    if version is None or (3, int(version[1])) < OLDEST_PYTHON:
        raise UsageError(f"--python is '{python}'; give the first two numbers that the device has, 3.11 or newer")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: not a folder")
    extras.require("packaging.requirements")
    with locks.alone(folder, "wheels", otherwise="choose another folder"), locks.scratch() as scratch:
        return _fill(folder, scratch, python, arch, on_step)


def check(folder: Path) -> None:
    """Raise UsageError where a folder has no wheels, or one that is not as ``fill`` left it."""
    remedy = f"fill it with: toolkit wheels --python 3.11 --arch aarch64 {folder}"
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise UsageError(f"{folder}: no wheels there; {remedy}")
    listed = _listed(folder)
    for wheel in wheels:
        if listed.get(wheel.name) != sha256(wheel):
            raise UsageError(f"{wheel}: not as 'toolkit wheels' left it, by its SHA-256; remove it, and {remedy}")


def _listed(folder: Path) -> dict[str, str]:
    return sums.read(folder) if (folder / SUMS).is_file() else {}


def _fill(folder: Path, scratch: Path, python: str, arch: str, on_step: Callable[[str], None]) -> list[Path]:
    own = build_wheel(folder)
    found = {constraints.normalized(own.name.partition("-")[0]): own}
    # Wheels with an extra each whose requirements are still to be followed, and those that were.
    wanted, followed = {(own, ""), (own, EXTRA)}, set[tuple[Path, str]]()
    found |= _download([INSTALLER], folder, scratch, python, arch)
    while wanted := wanted - followed:
        followed |= wanted
        required = [one for wheel, extra in wanted for one in _requirements(wheel, extra, python, arch)]
        if missing := sorted({name for name, _ in required} - found.keys()):
            on_step(", ".join(missing))
            found |= _download(missing, folder, scratch, python, arch)
        wanted = {(found[name], extra) for name, its_extras in required for extra in ("", *its_extras)}
    others = {name: digest for name, digest in _listed(folder).items() if (folder / name).is_file()}
    sums.write(folder, {**others, **{wheel.name: sha256(wheel) for wheel in found.values()}})
    return sorted(found.values())


def _requirements(wheel: Path, extra: str, python: str, arch: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the names, with the extras asked for, of what a wheel requires on the device."""
    requirement = extras.load("packaging.requirements").Requirement
    environment = {
        "extra": extra,
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": arch,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        metadata = email.message_from_bytes(archive.read(name))
    for line in metadata.get_all("Requires-Dist", []):
        one: Any = requirement(line)
        if one.marker is None or one.marker.evaluate(environment):
            yield constraints.normalized(one.name), sorted(one.extras)


def _download(names: Sequence[str], folder: Path, scratch: Path, python: str, arch: str) -> dict[str, Path]:
    """Download the tested versions of distributions, and return the wheels by name.

    scratch: where pip works. It sees the wheels that are there already by links, and would take half of one for whole.
    """
    arrived = scratch / "arrived"
    arrived.mkdir(exist_ok=True)
    for wheel in folder.glob("*.whl"):
        if zipfile.is_zipfile(wheel) and not (arrived / wheel.name).exists():
            (arrived / wheel.name).symlink_to(wheel.resolve())
    platforms = [f"--platform=manylinux_2_{minor}_{arch}" for minor in GLIBC_MINORS]
    target = ["--only-binary=:all:", "--no-deps", f"--python-version={python}", f"--platform=manylinux2014_{arch}"]
    pinned = ["--constraint", str(constraints.path()), "--dest", str(arrived), *names]
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", *target, *platforms, *pinned]
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", env=environment, check=False
    )
    saved = re.findall(r"(?:Saved|File was already downloaded) (.+\.whl)$", done.stdout, re.MULTILINE)
    wheels = {constraints.normalized(Path(path).name.partition("-")[0]): folder / Path(path).name for path in saved}
    if done.returncode != 0 or wheels.keys() != set(names):
        said = lines(done.stderr) or ["pip gave no reason"]
        raise DeviceError(f"not all wheels for Python {python} on {arch} were to be had: {said[-1]}")
    for wheel in wheels.values():
        if not (arrived / wheel.name).is_symlink():
            with atomic(wheel) as temporary:
                shutil.copyfile(arrived / wheel.name, temporary)
    return wheels
