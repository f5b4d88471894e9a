"""Facts about this machine."""

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# CPU part numbers of the Arm cores that single-board computers carry (Arm Ltd., Main ID Register of each core).
ARM_CORES = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd4f": "Neoverse-V2",
}


@dataclass(frozen=True)
class Host:
    """What a measurement must say about the machine it was made on. ``None`` means that the system does not tell."""

    cpu: str
    arch: str
    cores: int
    memory_bytes: int | None
    model: str | None
    governor: str | None
    emulated: bool
    os: str
    python: str

    def to_json(self) -> dict[str, Any]:
        """Return the document that goes under ``host``."""
        return asdict(self)


def describe(root: Path = Path("/")) -> Host:
    """Read the facts from the system files under ``root``."""
    cpuinfo = _read(root / "proc/cpuinfo") or ""
    arch = platform.machine()
    board = _read(root / "proc/device-tree/model")
    return Host(
        cpu=_cpu_name(cpuinfo) or platform.processor() or arch,
        arch=arch,
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=_meminfo(root, "MemTotal"),
        model=board.rstrip("\0\n") if board else None,
        governor=_read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        emulated=_emulated(arch, cpuinfo, _read(root / "sys/devices/system/cpu/modalias") or ""),
        os=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def available_memory_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that can be taken without swapping, or None where the system does not tell."""
    return _meminfo(root, "MemAvailable")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def _meminfo(root: Path, field: str) -> int | None:
    for line in (_read(root / "proc/meminfo") or "").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return None


def _fields(cpuinfo: str) -> dict[str, str]:
    """Return the last value of each field of /proc/cpuinfo: of a mixed set of cores, the fastest come last."""
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def _cpu_name(cpuinfo: str) -> str | None:
    fields = _fields(cpuinfo)
    part = fields.get("CPU part")
    return fields.get("model name") or (ARM_CORES.get(part, f"Arm core {part}") if part else None)


def _emulated(arch: str, cpuinfo: str, modalias: str) -> bool:
    """Say whether qemu-user runs this process: the kernel's files are then those of another kind of CPU.

    Either file may be hidden by one that the emulated system brings along, hardly both.
    """
    here = "x86" if arch in ("x86_64", "i686") else "other"
    seen = set()
    if cpuinfo:
        seen.add("x86" if "vendor_id" in _fields(cpuinfo) else "other")
    if "type:" in modalias:
        seen.add("x86" if "type:x86" in modalias else "other")
    return bool(seen - {here})
