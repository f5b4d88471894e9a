"""A wheel of the toolkit that is running, to carry to a device: packed from its own files, without a build backend."""

import base64
import hashlib
from importlib import metadata
from pathlib import Path

from toolkit import __version__, archive, constraints
from toolkit.errors import UsageError
from toolkit.files.sums import SUMS

DISTRIBUTION = "edge-model-toolkit"
PACKAGE = Path(__file__).parents[1]
# What the installer keeps of a wheel's own metadata; the rest (INSTALLER, direct_url.json) is of one installation.
_KEPT = ("METADATA", "entry_points.txt", "licenses/")


def build_wheel(folder: Path) -> Path:
    """Write the wheel into ``folder`` and return its path; the same source gives the same bytes.

    The code is that of the package that is imported, the metadata (name, version, requirements, licence) those that it
    was installed with, so it works alike from a source checkout and from a wheel. UsageError if toolkit was not
    installed, or as another version. Layout: https://packaging.python.org/specifications/binary-distribution-format.
    """
    name = DISTRIBUTION.replace("-", "_")
    info = f"{name}-{__version__}.dist-info"
    entries = {f"{info}/{path}": content for path, content in _installed_metadata().items()}
    entries[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: {DISTRIBUTION} {__version__}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ).encode()
    entries |= {
        f"{PACKAGE.name}/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
        for path in PACKAGE.rglob("*")
        if path.is_file() and (path.suffix in (".py", ".typed", ".c") or path.name == SUMS)
    }
    entries[f"{PACKAGE.name}/{constraints.FILE}"] = constraints.path().read_bytes()
    record = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in sorted(entries.items())]
    entries[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / f"{name}-{__version__}-py3-none-any.whl"
    archive.pack(wheel, entries)
    return wheel


def _installed_metadata() -> dict[str, bytes]:
    """Return the files that describe the installed distribution, by their path in its ``.dist-info``."""
    remedy = "install it, from a checkout: pip install --editable ."
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise UsageError(f"no wheel can be made of a toolkit that was not installed; {remedy}") from error
    if distribution.version != __version__:
        raise UsageError(f"toolkit {__version__} is installed as {distribution.version}; {remedy}")
    files = {
        Path(*file.parts[1:]).as_posix(): Path(str(file.locate()))
        for file in distribution.files or ()
        if file.parts[0].endswith(".dist-info")
    }
    return {path: file.read_bytes() for path, file in files.items() if path.startswith(_KEPT)}


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
