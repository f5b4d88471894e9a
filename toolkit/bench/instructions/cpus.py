"""CPUs that qemu-user emulates: one entry each, by the name that qemu has for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CORES = 4
_SSE = "fpu tsc cx8 cmov mmx fxsr sse sse2 ht syscall nx lm pni ssse3 cx16 sse4_1 sse4_2 popcnt"
_AVX2 = f"{_SSE} movbe aes xsave avx f16c rdrand fma abm bmi1 avx2 bmi2"
_ARMV8 = "fp asimd evtstrm crc32 cpuid"
_ARMV8_2 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc asimddp"


@dataclass(frozen=True)
class Cpu:
    """A CPU that qemu-user emulates.

    core: what toolkit calls it. found_in: a machine that has it. sets: those of host.INSTRUCTION_SETS that it has.
    cpuinfo: fields of its /proc/cpuinfo, by which runtimes and toolkit tell what it can do.
    """

    architecture: str
    core: str
    found_in: str
    sets: frozenset[str]
    cpuinfo: Mapping[str, str]

    @property
    def emulator(self) -> str:
        """The program of qemu-user."""
        return f"qemu-{self.architecture}"

    def cpuinfo_text(self) -> str:
        """Return what /proc/cpuinfo says: all cores are the same."""
        cores = ({"processor": str(number), **self.cpuinfo} for number in range(CORES))
        return "".join("".join(f"{name}\t: {value}\n" for name, value in core.items()) + "\n" for core in cores)


def _intel(core: str, found_in: str, *, model: str, flags: str, sets: Iterable[str] = ()) -> Cpu:
    known = {"vendor_id": "GenuineIntel", "cpu family": "6", "model": model, "model name": core, "flags": flags}
    return Cpu("x86_64", core, found_in, frozenset(sets), known)


def _arm(
    core: str,
    found_in: str,
    *,
    part: str,
    revision: str,
    variant: str = "0x0",
    features: str = _ARMV8,
    sets: Iterable[str] = (),
) -> Cpu:
    known = {"Features": features, "BogoMIPS": "108.00", "CPU implementer": "0x41", "CPU architecture": "8"}
    own = {"CPU variant": variant, "CPU part": part, "CPU revision": revision}
    return Cpu("aarch64", core, found_in, frozenset(sets), {**known, **own})


CPUS = {
    "Nehalem": _intel("Intel(R) Core(TM) i7 CPU 920 (Nehalem)", "PCs of 2008 (SSE4.2)", model="26", flags=_SSE),
    "Haswell": _intel(
        "Intel(R) Core(TM) i7-4770 CPU (Haswell)", "PCs of 2013", model="60", flags=_AVX2, sets=("AVX", "AVX2")
    ),
    "cortex-a53": _arm("Cortex-A53", "Raspberry Pi 3, Zero 2 W", part="0xd03", revision="4"),
    "cortex-a72": _arm("Cortex-A72", "Raspberry Pi 4", part="0xd08", revision="3"),
    "cortex-a76": _arm(
        "Cortex-A76",
        "Raspberry Pi 5",
        part="0xd0b",
        revision="1",
        variant="0x4",
        features=_ARMV8_2,
        sets=("dotprod", "fp16"),
    ),
}
