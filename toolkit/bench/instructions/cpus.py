"""CPUs that qemu-user emulates: one entry each, by the name that qemu has for it."""

from collections.abc import Mapping
from dataclasses import dataclass

CORES = 4
_ARM = {"BogoMIPS": "108.00", "CPU implementer": "0x41", "CPU architecture": "8"}
_X86 = {"vendor_id": "GenuineIntel", "cpu family": "6"}
_SSE = "fpu tsc cx8 cmov mmx fxsr sse sse2 ht syscall nx lm pni ssse3 cx16 sse4_1 sse4_2 popcnt"


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


CPUS = {
    "Nehalem": Cpu(
        architecture="x86_64",
        core="Intel(R) Core(TM) i7 CPU 920 (Nehalem)",
        found_in="PCs of 2008 (SSE4.2)",
        sets=frozenset(),
        cpuinfo={**_X86, "model": "26", "model name": "Intel(R) Core(TM) i7 CPU 920 (Nehalem)", "flags": _SSE},
    ),
    "Haswell": Cpu(
        architecture="x86_64",
        core="Intel(R) Core(TM) i7-4770 CPU (Haswell)",
        found_in="PCs of 2013",
        sets=frozenset({"AVX", "AVX2"}),
        cpuinfo={
            **_X86,
            "model": "60",
            "model name": "Intel(R) Core(TM) i7-4770 CPU (Haswell)",
            "flags": f"{_SSE} movbe aes xsave avx f16c rdrand fma abm bmi1 avx2 bmi2",
        },
    ),
    "cortex-a53": Cpu(
        architecture="aarch64",
        core="Cortex-A53",
        found_in="Raspberry Pi 3, Zero 2 W",
        sets=frozenset(),
        cpuinfo={
            "Features": "fp asimd evtstrm crc32 cpuid",
            **_ARM,
            "CPU variant": "0x0",
            "CPU part": "0xd03",
            "CPU revision": "4",
        },
    ),
    "cortex-a72": Cpu(
        architecture="aarch64",
        core="Cortex-A72",
        found_in="Raspberry Pi 4",
        sets=frozenset(),
        cpuinfo={
            "Features": "fp asimd evtstrm crc32 cpuid",
            **_ARM,
            "CPU variant": "0x0",
            "CPU part": "0xd08",
            "CPU revision": "3",
        },
    ),
    "cortex-a76": Cpu(
        architecture="aarch64",
        core="Cortex-A76",
        found_in="Raspberry Pi 5",
        sets=frozenset({"dotprod", "fp16"}),
        cpuinfo={
            "Features": "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc asimddp",
            **_ARM,
            "CPU variant": "0x4",
            "CPU part": "0xd0b",
            "CPU revision": "1",
        },
    ),
}
