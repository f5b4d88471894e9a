"""An arm64 user-space on an x86-64 Debian: its Python and the wheels that a Raspberry Pi installs, under qemu-user.

Needs qemu-user (not qemu-user-static, which has no plugins), and neither root nor a chroot: qemu looks for each file
below a folder first. Debian's ``python3`` there is a script that starts qemu, so whatever starts Python by its path,
a virtual environment, a console script and a worker process included, gets an arm64 process.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cpus import table
from toolkit.bench.instructions import cpus
from toolkit.bench.instructions.qemu import GUEST_PYTHON, GUESTS, HOST_ONLY
from toolkit.cache import cache_folder
from toolkit.files import write_json

ROOT = Path(__file__).parents[2]
ARCHITECTURE = "aarch64"
CPUS = table.of(ARCHITECTURE)
KEYS = "keys.json"
QEMU = f"qemu-{ARCHITECTURE}"
PACKAGES = ("python3", "python3-venv", "libstdc++6", "libgcc-s1")
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
# The oldest C libraries that wheels for arm64 ask for, up to that of Debian 12.
PLATFORMS = ("manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 37)))
PINNED = ("--constraint", str(ROOT / "constraints.txt"))
BUILD_PINNED = ("--build-constraint", str(ROOT / "constraints.txt"))

# -cpu always: what qemu takes without it computes wrong int8 results (qemu 7.2, SME). -0: Python finds its virtual
# environment by the path that it was started by.
PYTHON = """\
#!/bin/sh
unset {unset}
cpu=${{QEMU_CPU:-cortex-a72}}
exec {qemu} -cpu "$cpu" -L "{folder}/$cpu" -0 "$0" "{python}" "$@"
"""


@dataclass(frozen=True)
class Userspace:
    """A user-space that was built, in the user's cache. lock: a file descriptor; while open, nobody rebuilds it."""

    folder: Path
    lock: int

    @property
    def python(self) -> Path:
        """The Python of a virtual environment with toolkit's extra ``edge``, and pytest."""
        return _python(self.folder)


def environment(cpu: str) -> dict[str, str]:
    """Return the environment to start a guest's Python in. cpu: one of CPUS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return {**kept, "QEMU_CPU": cpu, "PIP_CONFIG_FILE": os.devnull}


def _python(folder: Path) -> Path:
    return folder / GUEST_PYTHON


def build() -> Userspace:
    """Build what is missing or older than what it is made from.

    Checkouts share the folder: who would change it waits until nobody's process uses it. FileNotFoundError or
    CalledProcessError where it cannot be built.
    """
    folder = cache_folder() / GUESTS[ARCHITECTURE]
    folder.mkdir(parents=True, exist_ok=True)
    described = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    sources = (ROOT / "README.md", *sorted(ROOT.glob("*.py")), *sorted((ROOT / "toolkit").rglob("*.py")))
    keys = {
        "debian": _digest(Path(__file__), Path(cpus.__file__), _apt_sources()),
        "dependencies": _digest(*described),
        "project": _digest(*described, *sources),
    }
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)  # closed by the end of the process
    os.set_inheritable(lock, True)  # `run` becomes the guest
    while True:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if _read_keys(folder) == keys:
            return Userspace(folder, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        _rebuild(folder, keys)


def _read_keys(folder: Path) -> dict[str, str]:
    """Return the digests of what the folder was made from; none where it is not whole."""
    file = folder / KEYS
    return json.loads(file.read_text()) if file.is_file() else {}


def _rebuild(folder: Path, keys: dict[str, str]) -> None:
    """Make what the keys say is old, and all that rests on it; nothing where somebody else did it meanwhile."""
    before = _read_keys(folder)
    old = {name for name in keys if before.get(name) != keys[name]}
    (folder / KEYS).unlink(missing_ok=True)
    if "debian" in old:
        _build_root(folder)
    if old & {"debian", "dependencies"}:
        _build_environment(folder)
    elif old:
        _guest_pip(folder, "--no-deps", "--force-reinstall", str(_project_wheel(folder / "wheels")))
    write_json(folder / KEYS, keys)


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()


def _apt_sources() -> Path:
    """Return where this system gets Debian's packages from; FileNotFoundError where it is no Debian."""
    for source in SOURCES:
        if source.is_file():
            return source
    raise FileNotFoundError(f"none of {', '.join(map(str, SOURCES))} is there; this needs a Debian with apt-get")


def _build_root(folder: Path) -> None:
    """Unpack Debian's packages for arm64, and lay the folders that qemu looks into over them: one for each CPU."""
    root, apt = folder / "root", folder / "apt"
    for leftover in (root, apt):
        shutil.rmtree(leftover, ignore_errors=True)
    root.mkdir()
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures::": "arm64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "1",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        "Dir::Etc::sourcelist": _apt_sources(),
        "Dir::Etc::sourceparts": os.devnull,
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
    }
    get = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    _run([*get, "update"])
    _run([*get, "install", "-y", "--download-only", "--no-install-recommends", *PACKAGES])
    for package in sorted((apt / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(root)])
    shutil.rmtree(apt)
    for part in ("doc", "man", "locale", "info"):
        shutil.rmtree(root / "usr" / "share" / part, ignore_errors=True)
    for name, cpu in CPUS.items():
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name / "proc").mkdir(parents=True)
        for entry in root.iterdir():
            (folder / name / entry.name).symlink_to(entry)
        # qemu shows the host's; the library by which runtimes choose their kernels crashes on another CPU's.
        (folder / name / "proc" / "cpuinfo").write_text(cpu.cpuinfo_text())
    _compile(root / "usr" / "lib")
    python3 = root / "usr" / "bin" / "python3"
    real = python3.resolve()
    python3.unlink()
    python3.write_text(
        PYTHON.format(unset=" ".join(("LD_LIBRARY_PATH", *HOST_ONLY)), qemu=QEMU, folder=folder, python=real)
    )
    python3.chmod(0o755)


def _build_environment(folder: Path) -> None:
    """Download wheels for arm64 by the host's pip, which is fast, and install them by the guest's, which decides.

    The guest's pip evaluates the markers of the requirements on the system that they are meant for. What it then finds
    missing among the downloaded wheels, a Raspberry Pi would miss too.
    """
    python3, wheels, venv = folder / "root/usr/bin/python3", folder / "wheels", folder / "venv"
    for leftover in (wheels, venv):
        shutil.rmtree(leftover, ignore_errors=True)
    wanted = [f"{_project_wheel(wheels)}[edge]", "pytest"]
    version = next((folder / "root/usr/lib").glob("python3.*")).name.removeprefix("python")
    platforms = [f"--platform={name}" for name in PLATFORMS]
    fetch = ["download", "--only-binary=:all:", f"--python-version={version}", *platforms, *PINNED]
    _run([sys.executable, "-m", "pip", *fetch, "--dest", str(wheels), "pip", *wanted])
    _run([str(python3), "-m", "venv", "--without-pip", str(venv)])
    shutil.rmtree(folder / "pip", ignore_errors=True)
    shutil.unpack_archive(next(wheels.glob("pip-*.whl")), folder / "pip", "zip")
    _compile(folder / "pip")
    _guest_pip(folder, *PINNED, *wanted)
    _compile(venv)


def _compile(folder: Path) -> None:
    """Compile Python's modules on the host, in a tenth of the guest's time; another version's bytecode is not read."""
    _run([sys.executable, "-m", "compileall", "-q", "-j0", str(folder)], ok=(0, 1))  # some packages carry bad examples


def _project_wheel(folder: Path) -> Path:
    """Build the wheel of this project."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("edge_model_toolkit-*.whl"):
        old.unlink()
    _run([sys.executable, "-m", "pip", "wheel", "--no-deps", *BUILD_PINNED, "--wheel-dir", str(folder), str(ROOT)])
    return next(folder.glob("edge_model_toolkit-*.whl"))


def _guest_pip(folder: Path, *arguments: str) -> None:
    """Install by the pip that was downloaded for the guest, from the downloaded wheels alone."""
    offline = ["--no-index", "--find-links", str(folder / "wheels"), "--no-compile"]
    command = [str(_python(folder)), str(folder / "pip" / "pip"), "--disable-pip-version-check", "install"]
    _run([*command, *offline, *arguments], environment(next(iter(CPUS))))


def _run(command: Sequence[str], variables: dict[str, str] | None = None, *, ok: Sequence[int] = (0,)) -> None:
    """Run a command, and show what it wrote where it fails."""
    done = subprocess.run(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode not in ok:
        sys.stderr.write(done.stdout)
        done.check_returncode()
