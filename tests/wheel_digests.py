"""Write toolkit/wheels/SHA256SUMS anew, from what the package index has: python -m tests.wheel_digests.

What a wheel requires is read from itself and judged for the device: ``pip download --platform`` would judge it for this
machine (https://github.com/pypa/pip/issues/11664).
"""

import email
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from packaging.requirements import Requirement

from toolkit import constraints
from toolkit.files import sha256, sums
from toolkit.remote.kit import EXTRA
from toolkit.wheels import tested
from toolkit.wheels.folder import download
from toolkit.wheels.own import build_wheel

PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def main() -> None:
    """List the wheels for every Python on every architecture."""
    digests: dict[str, str] = {}
    for python, arch in product(PYTHONS, tested.ARCHITECTURES):
        with tempfile.TemporaryDirectory() as scratch:
            wheels = resolve(Path(scratch), python, arch)
            digests |= {wheel.name: sha256(wheel) for wheel in wheels}
        sys.stderr.write(f"Python {python} on {arch}: {len(wheels)} wheels\n")
    sums.write(Path(tested.__file__).parent, dict(sorted(digests.items())))


def resolve(folder: Path, python: str, arch: str) -> list[Path]:
    """Download pip and the tested versions of all that the extra ``edge`` needs on a device; return the wheels."""
    own = build_wheel(folder)
    names = {tested.INSTALLER}
    # Wheels with an extra each whose requirements are still to be followed, and those that were.
    wanted, followed = {(own, ""), (own, EXTRA)}, set[tuple[Path, str]]()
    while wanted := wanted - followed:
        followed |= wanted
        required = [one for wheel, extra in wanted for one in requirements(wheel, extra, python, arch)]
        names |= {name for name, _ in required}
        if missing := sorted(names - _by_name(folder).keys()):
            download(["--constraint", str(constraints.path()), *missing], folder, python=python, arch=arch)
        found = _by_name(folder)
        wanted = {(found[name], extra) for name, its_extras in required for extra in ("", *its_extras)}
    return [wheel for wheel in _by_name(folder).values() if wheel != own]


def requirements(wheel: Path, extra: str, python: str, arch: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the names, with the extras asked for, of what a wheel requires on the device."""
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
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate(environment):
            yield constraints.normalized(one.name), sorted(one.extras)


def _by_name(folder: Path) -> dict[str, Path]:
    return {constraints.normalized(wheel.name.partition("-")[0]): wheel for wheel in sorted(folder.glob("*.whl"))}


if __name__ == "__main__":
    main()
