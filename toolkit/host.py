"""Facts about this machine."""

import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit import units

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


# The instruction sets that decide how fast these models run, and the flags of /proc/cpuinfo any of which means one:
# fields "Features" (Arm) and "flags" (x86; AVX stands first since TensorFlow's builds need it).
INSTRUCTION_SETS: dict[str, dict[str, tuple[str, ...]]] = {
    "Features": {
        "dotprod": ("asimddp",),
        "i8mm": ("i8mm",),
        "fp16": ("asimdhp",),
        "bf16": ("bf16",),
    },
    "flags": {
        "AVX": ("avx",),
        "AVX2": ("avx2",),
        "AVX-512": ("avx512f",),
        "VNNI": ("avx512_vnni", "avx_vnni"),
        "fp16": ("avx512_fp16",),
        "bf16": ("avx512_bf16", "amx_bf16"),
        "AMX int8": ("amx_int8",),
    },
}

# Those of them that multiply and add 8-bit integers.
BYTE_SETS = ("VNNI", "AMX int8", "dotprod", "i8mm")
# Those of them that choose the kernels of float32 and integer models; fp16 and bf16 are used only on request.
KERNEL_SETS = ("AVX", "AVX2", "AVX-512", "VNNI", "AMX int8", "dotprod", "i8mm")

# Bits of `vcgencmd get_throttled` (Raspberry Pi documentation, "vcgencmd"): now, and 16 higher since boot.
THROTTLE_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
SINCE_BOOT_SHIFT = 16
# Where the firmware's driver keeps them; the name of the SoC's node differs between models.
_THROTTLED = "sys/devices/platform/soc*/soc*:firmware/get_throttled"
# Units of /proc/stat in a second (USER_HZ, 100 on Linux), and the place of the time that a hypervisor took.
_TICKS = 100
_STEAL_COLUMN = 8
# Neither LiteRT nor ONNX Runtime is built for less.
MINIMUM_BITS = 64
_GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


@dataclass(frozen=True)
class State:
    """What may change while something is measured; None where the system does not tell.

    clock_hz: mean over the CPUs. temperature_c: of the hottest zone. load: mean of the last minute. running: threads of
    all programs that run at this instant, this one among them. throttled: bits of THROTTLE_BITS. steal_s: time of these
    CPUs that the hypervisor has given to others since the system started.
    """

    clock_hz: float | None
    governor: str | None
    temperature_c: float | None
    load: float | None
    running: int | None
    throttled: int | None
    steal_s: float | None


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
    cpuinfo = _read(root / "proc/cpuinfo") or ""
    arch = platform.machine()
    board = _read(root / "proc/device-tree/model")
    emulated = _emulated(root, arch, cpuinfo)
    return Host(
        cpu=_cpu_name(cpuinfo) or platform.processor() or arch,
        arch=arch,
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=_meminfo(root, "MemTotal"),
        model=board.rstrip("\0\n") if board else None,
        governor=_read(root / _GOVERNOR),
        virtual=_virtual(root, cpuinfo),
        throttled=describe_throttled(_throttled(root)),
        emulated=emulated,
        os=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        kernels=None if emulated else _kernel_class(arch, instruction_sets(root)),
    )


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two ``host`` documents are of one machine, by what they have of it."""
    return all(one.get(fact) == other.get(fact) for fact in ("cpu", "arch", "cores", "model", "kernels"))


def state(root: Path = Path("/")) -> State:
    """Read what may change, from the system files under ``root``."""
    clocks = [_number(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [clock * 1000 for clock in clocks if clock is not None]
    zones = [_number(path) for path in root.glob("sys/class/thermal/thermal_zone*/temp")]
    # 0.52 0.58 0.59 1/467 12345: means of 1, 5 and 15 minutes, running of all threads, the newest process
    load = (_read(root / "proc/loadavg") or "").replace("/", " ").split()
    stat = (_read(root / "proc/stat") or "").partition("\n")[0].split()
    return State(
        clock_hz=sum(known) / len(known) if known else _cpuinfo_clock_hz(root),
        governor=_read(root / _GOVERNOR),
        temperature_c=max((zone / 1000 for zone in zones if zone is not None), default=None),
        load=float(load[0]) if load else None,
        running=int(load[3]) if len(load) > 3 else None,
        throttled=_throttled(root),
        steal_s=int(stat[_STEAL_COLUMN]) / _TICKS if len(stat) > _STEAL_COLUMN else None,
    )


def instruction_sets(root: Path = Path("/")) -> dict[str, bool]:
    """Return which of INSTRUCTION_SETS every core has; empty where the system does not tell."""
    lines = [line.partition(":") for line in (_read(root / "proc/cpuinfo") or "").splitlines()]
    for field, known in INSTRUCTION_SETS.items():
        cores = [set(value.split()) for key, _, value in lines if key.strip() == field]
        if cores:
            shared = set.intersection(*cores)
            return {name: not shared.isdisjoint(flags) for name, flags in known.items()}
    return {}


def multiplies_bytes(root: Path = Path("/")) -> bool | None:
    """Say whether the CPU has instructions that multiply and add bytes, or None where the system does not tell."""
    found = instruction_sets(root)
    return any(found.get(name, False) for name in BYTE_SETS) if found else None


def bits() -> int:
    """Return 32 or 64, of this Python: a 64-bit kernel also runs 32-bit systems, so the kernel's name does not tell."""
    return 8 * struct.calcsize("P")


def unsupported(python_bits: int | None = None) -> str | None:
    """Return why no runtime can be installed for a Python, this one unless told otherwise, or None."""
    python_bits = bits() if python_bits is None else python_bits
    if python_bits < MINIMUM_BITS:
        return (
            f"this Python is {python_bits}-bit, and LiteRT and ONNX Runtime are built for 64-bit systems only; install "
            "the 64-bit Raspberry Pi OS ('getconf LONG_BIT' prints 64 there)"
        )
    return None


def describe_throttled(bits: int | None) -> tuple[str, ...]:
    """Return in words what a Raspberry Pi says of its power and temperature, now and since it started."""
    if not bits:
        return ()
    now = [f"{word} now" for bit, word in THROTTLE_BITS.items() if bits >> bit & 1]
    before = [f"{word} since boot" for bit, word in THROTTLE_BITS.items() if bits >> (bit + SINCE_BOOT_SHIFT) & 1]
    return (*now, *before)


def available_memory_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that can be taken without swapping, or None where the system does not tell."""
    return _meminfo(root, "MemAvailable")


def process_memory_bytes(field: str, pid: int | str = "self") -> int | None:
    """Return the memory of a process, now (VmRSS) or at its peak (VmHWM), or None where the system does not tell.

    getrusage's ru_maxrss would do for the peak, but on Linux it counts the parent's memory before the exec as well.
    """
    lines = (_read(Path(f"/proc/{pid}/status")) or "").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _number(path: Path) -> float | None:
    try:
        return float(_read(path) or "")
    except ValueError:
        return None


def _throttled(root: Path) -> int | None:
    """Return the bits that `vcgencmd get_throttled` prints, from the file that the firmware's driver keeps."""
    path = next(root.glob(_THROTTLED), None)
    try:
        return None if path is None else int(_read(path) or "", 16)
    except ValueError:
        return None


def _cpuinfo_clock_hz(root: Path) -> float | None:
    lines = (_read(root / "proc/cpuinfo") or "").splitlines()
    clocks = [float(line.partition(":")[2]) * 1e6 for line in lines if line.startswith("cpu MHz")]
    return sum(clocks) / len(clocks) if clocks else None


def _virtual(root: Path, cpuinfo: str) -> str | None:
    """Say whether this is a container, a virtual machine or both, by what either leaves in the system files."""
    flags = _fields(cpuinfo).get("flags", "").split()
    product = _read(root / "sys/class/dmi/id/product_name") or ""
    known = any(name in product for name in ("KVM", "VirtualBox", "VMware", "Virtual Machine", "QEMU"))
    found = {
        "container": (root / ".dockerenv").exists() or (root / "run/.containerenv").exists(),
        "virtual machine": "hypervisor" in flags or known,
    }
    return " in a ".join(what for what, is_so in found.items() if is_so) or None


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


def _kernel_class(arch: str, sets: dict[str, bool]) -> str | None:
    """Return the architecture with those of KERNEL_SETS that the CPU has, or without those that it could have."""
    known = {name: sets[name] for name in KERNEL_SETS if name in sets}
    if not known:
        return None
    has = [name for name, there in known.items() if there and not (name == "AVX" and known["AVX2"])]
    return f"{arch} {'with' if has else 'without'} {units.listed(has or list(known))}"


def _emulated(root: Path, arch: str, cpuinfo: str) -> bool:
    """Say whether qemu-user runs this process.

    The kernel then calls it by the name of qemu's program (qemu-x86_64), and its files are those of another kind of CPU
    where qemu emulates one. The emulated system may bring a file of its own along for one of them, hardly for all.
    """
    if _fields(_read(root / "proc/self/status") or "").get("Name", "").startswith("qemu-"):
        return True
    here = "x86" if arch in ("x86_64", "i686") else "other"
    modalias = _read(root / "sys/devices/system/cpu/modalias") or ""
    seen = set()
    if cpuinfo:
        seen.add("x86" if "vendor_id" in _fields(cpuinfo) else "other")
    if "type:" in modalias:
        seen.add("x86" if "type:x86" in modalias else "other")
    return bool(seen - {here})
