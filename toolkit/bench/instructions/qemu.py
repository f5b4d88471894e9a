"""A plugin of qemu-user counts, while that emulates a CPU of ``cpus``: the same on every machine."""

import hashlib
import mmap
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from toolkit import programs
from toolkit.bench.instructions.counting import Counter
from toolkit.bench.instructions.cpus import CPUS, Cpu
from toolkit.cache import cache_folder
from toolkit.errors import UsageError
from toolkit.files import atomic, write_text

SOURCE = Path(__file__).with_name("plugin.c")
FOLDER = "instructions"
COMPILERS = ("gcc", "cc")
_OPTIONS = ("-shared", "-fPIC", "-O2", "-Wall", "-Werror")
# Bytes of the file that the plugin counts in.
COUNT_BYTES = 8
# The CPU that is emulated unless another is named, by this machine's architecture: qemu has no instruction set that
# matters to the runtimes beyond its own.
USUAL = {"x86_64": "Haswell", "aarch64": "cortex-a76"}
# Of the host, and wrong in the guest: names of its BLAS kernels.
HOST_ONLY = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# User-spaces of another architecture, by the names of their folders in the user's cache, and the Python of each: a
# script that starts qemu as the CPU of QEMU_CPU.
GUESTS = {"aarch64": "arm64"}
GUEST_PYTHON = Path("venv") / "bin" / "python"


def counter(file: Path) -> Counter:
    """Return what tells how many instructions this process has executed. file: what the plugin counts in."""
    with file.open("rb") as opened:
        count = mmap.mmap(opened.fileno(), COUNT_BYTES, access=mmap.ACCESS_READ)
    return lambda: int.from_bytes(count[:], sys.byteorder)


def usual() -> str:
    """Return the CPU that is emulated unless another is named."""
    return USUAL.get(platform.machine(), next(iter(USUAL.values())))


def lacking(name: str) -> str | None:
    """Return what is not here that counting on a CPU of that name takes, None if all is."""
    cpu = CPUS[name]
    if shutil.which(cpu.emulator) is None or _compiler() is None:
        missing = cpu.emulator if shutil.which(cpu.emulator) is None else COMPILERS[0]
        return f"{missing} is not installed; install it with: apt-get install qemu-user gcc libc6-dev"
    if _is_here(cpu) or _guest(cpu).exists():
        return None
    return (
        f"there is no Python for {cpu.architecture} here; in a checkout on x86-64, 'make cpus' lays one into the cache"
    )


def python(name: str, file: Path) -> list[str]:
    """Return the command that starts Python on a CPU of that name. file: what the plugin counts in, which is made."""
    cpu = CPUS[name]
    environment = [f"--unset={one}" for one in HOST_ONLY]
    environment += [f"{variable}={value}" for variable, value in {"QEMU_CPU": name, **variables(file)}.items()]
    if not _is_here(cpu):
        return ["env", *environment, str(_guest(cpu))]
    # -0: Python finds its virtual environment by the path that it was started by.
    real = str(Path(sys.executable).resolve())
    # check=off: qemu would tell at each start which instructions it lacks of those that the CPU has.
    model = f"{name},check=off" if cpu.architecture == "x86_64" else name
    emulator = [cpu.emulator, "-cpu", model, "-L", str(_root(name, cpu)), "-0", sys.executable]
    return ["env", *environment, *emulator, real]


def variables(file: Path) -> dict[str, str]:
    """Return the variables of an emulated process that counts its instructions. file: where, which is made."""
    file.write_bytes(bytes(COUNT_BYTES))
    loaded = ",".join(text.replace(",", ",,") for text in (str(plugin()), f"count={file}"))
    # The same hashes in every process: the order of sets and dicts decides what Python and the runtimes execute.
    return {"QEMU_PLUGIN": loaded, "PYTHONHASHSEED": "0"}


def version(name: str) -> str:
    """Return what emulates a CPU of that name, with its version: the third word of what it says."""
    cpu = CPUS[name]
    said = subprocess.run([cpu.emulator, "--version"], check=True, capture_output=True, text=True, encoding="utf-8")
    return f"{cpu.emulator} {said.stdout.split()[2]}"


def _is_here(cpu: Cpu) -> bool:
    """Say whether this Python and its packages run on it."""
    return cpu.architecture == platform.machine()


def _guest(cpu: Cpu) -> Path:
    return cache_folder() / GUESTS.get(cpu.architecture, "none") / GUEST_PYTHON


def _compiler() -> str | None:
    return next((compiler for name in COMPILERS if (compiler := shutil.which(name))), None)


def _root(name: str, cpu: Cpu) -> Path:
    """Return a folder that qemu looks for files in first: it shows the host's /proc/cpuinfo otherwise."""
    root = cache_folder() / FOLDER / name
    write_text(root / "proc" / "cpuinfo", cpu.cpuinfo_text())
    return root


def plugin() -> Path:
    """Compile the plugin, once for each version of it, and return it. Raises UsageError if it cannot be."""
    library = cache_folder() / FOLDER / f"plugin-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        with atomic(library) as temporary:
            command = [_compiler() or COMPILERS[0], *_OPTIONS, "-o", str(temporary), str(SOURCE)]
            ended = programs.run(command)
            if ended.code:
                said = ended.errors.strip().splitlines() or ["no message"]
                raise UsageError(f"{SOURCE.name} cannot be compiled by {command[0]}: {said[0]}")
    return library
