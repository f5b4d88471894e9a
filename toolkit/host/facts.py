"""What this machine is, which does not change while something is measured."""

import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit.host import system
from toolkit.host.kernels import instruction_sets, kernel_class
from toolkit.host.state import describe_throttled, governor, throttled

# CPU part numbers of the Arm cores that single-board computers carry (Arm Ltd., Main ID Register of each core).
ARM_CORES = {
    "0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55", "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76", "0xd0c": "Neoverse-N1", "0xd40": "Neoverse-V1", "0xd4f": "Neoverse-V2",
}  # fmt: skip
# Neither LiteRT nor ONNX Runtime is built for less.
MINIMUM_BITS = 64


@dataclass(frozen=True)
class Host:
    """What a measurement must say about the machine it was made on. ``None`` means that the system does not tell.

    kernels: its kernel class, what chooses the runtimes' kernels: ``x86_64 with AVX2, AVX-512 and VNNI``. Machines of
    the same give the same answers. None also under emulation, where the system's files are those of another CPU.
    """

    cpu: str
    arch: str
    cores: int
    memory_bytes: int | None
    model: str | None
    governor: str | None
    emulated: bool
    virtual: str | None
    throttled: tuple[str, ...]
    os: str
    python: str
    kernels: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the document that goes under ``host``."""
        return {**asdict(self), "throttled": list(self.throttled)}


def describe(root: Path = Path("/")) -> Host:
    """Read the facts from the system files under ``root``."""
    cpuinfo = system.read(root / "proc/cpuinfo") or ""
    arch = platform.machine()
    board = system.read(root / "proc/device-tree/model")
    emulated = _emulated(root, arch, cpuinfo)
    return Host(
        cpu=_cpu_name(cpuinfo) or platform.processor() or arch,
        arch=arch,
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=system.memory_bytes(root / "proc/meminfo", "MemTotal"),
        model=board.rstrip("\0\n") if board else None,
        governor=governor(root),
        virtual=_virtual(root, cpuinfo),
        throttled=describe_throttled(throttled(root)),
        emulated=emulated,
        os=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        kernels=None if emulated else kernel_class(arch, instruction_sets(root)),
    )


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the facts by which two ``host`` documents are of two machines; none for one machine."""
    return tuple(fact for fact in ("cpu", "arch", "cores", "model", "kernels") if one.get(fact) != other.get(fact))


def bits() -> int:
    """Return 32 or 64, of this Python: a 64-bit kernel also runs 32-bit systems, so the kernel's name does not tell."""
    return 8 * struct.calcsize("P")


def unsupported(python_bits: int | None = None) -> str | None:
    """Return why toolkit cannot be installed: here, or on a system whose Python has so many bits; None if it can."""
    if python_bits is None and (name := platform.system()) != "Linux":
        return f"this system is {name}, and toolkit runs on Linux only, also in a container, a virtual machine or WSL 2"
    python_bits = bits() if python_bits is None else python_bits
    if python_bits < MINIMUM_BITS:
        return (
            f"this Python is {python_bits}-bit, and LiteRT and ONNX Runtime are built for 64-bit systems only; install "
            "the 64-bit Raspberry Pi OS ('getconf LONG_BIT' prints 64 there)"
        )
    return None


def _virtual(root: Path, cpuinfo: str) -> str | None:
    """Say whether this is a container, a virtual machine or both, by what either leaves in the system files."""
    flags = system.fields(cpuinfo).get("flags", "").split()
    product = system.read(root / "sys/class/dmi/id/product_name") or ""
    known = any(name in product for name in ("KVM", "VirtualBox", "VMware", "Virtual Machine", "QEMU"))
    signs = {
        "container": (root / ".dockerenv").exists() or (root / "run/.containerenv").exists(),
        "virtual machine": "hypervisor" in flags or known,
    }
    return " in a ".join(what for what, is_so in signs.items() if is_so) or None


def _cpu_name(cpuinfo: str) -> str | None:
    fields = system.fields(cpuinfo)
    part = fields.get("CPU part")
    return fields.get("model name") or (ARM_CORES.get(part, f"Arm core {part}") if part else None)


def _emulated(root: Path, arch: str, cpuinfo: str) -> bool:
    """Say whether qemu-user runs this process.

    The kernel then calls it by the name of qemu's program (qemu-x86_64), and its files are those of another kind of CPU
    where qemu emulates one. The emulated system may bring a file of its own along for one of them, hardly for all.
    """
    if system.fields(system.read(root / "proc/self/status") or "").get("Name", "").startswith("qemu-"):
        return True
    here = "x86" if arch in ("x86_64", "i686") else "other"
    modalias = system.read(root / "sys/devices/system/cpu/modalias") or ""
    seen = set()
    if cpuinfo:
        seen.add("x86" if "vendor_id" in system.fields(cpuinfo) else "other")
    if "type:" in modalias:
        seen.add("x86" if "type:x86" in modalias else "other")
    return bool(seen - {here})
