"""The instruction sets of this CPU, and its kernel class: which of them choose the kernels of the runtimes."""

from pathlib import Path

from toolkit import units
from toolkit.host import system

# The instruction sets that decide how fast these models run, and the flags of /proc/cpuinfo any of which means one:
# fields "Features" (Arm) and "flags" (x86; AVX stands first since TensorFlow's builds need it).
INSTRUCTION_SETS: dict[str, dict[str, tuple[str, ...]]] = {
    "Features": {"dotprod": ("asimddp",), "i8mm": ("i8mm",), "fp16": ("asimdhp",), "bf16": ("bf16",)},
    "flags": {
        "AVX": ("avx",), "AVX2": ("avx2",), "AVX-512": ("avx512f",), "VNNI": ("avx512_vnni", "avx_vnni"),
        "fp16": ("avx512_fp16",), "bf16": ("avx512_bf16", "amx_bf16"), "AMX int8": ("amx_int8",),
    },
}  # fmt: skip
# Those of them that multiply and add 8-bit integers.
BYTE_SETS = ("VNNI", "AMX int8", "dotprod", "i8mm")
# Those of them that choose the kernels of float32 and integer models; fp16 and bf16 are used only on request.
KERNEL_SETS = ("AVX", "AVX2", "AVX-512", "VNNI", "AMX int8", "dotprod", "i8mm")


def instruction_sets(root: Path = Path("/")) -> dict[str, bool]:
    """Return which of INSTRUCTION_SETS every core has; empty if the system does not tell."""
    lines = [line.partition(":") for line in (system.read(root / "proc/cpuinfo") or "").splitlines()]
    for field, known in INSTRUCTION_SETS.items():
        cores = [set(value.split()) for key, _, value in lines if key.strip() == field]
        if cores:
            shared = set.intersection(*cores)
            return {name: not shared.isdisjoint(flags) for name, flags in known.items()}
    return {}


def multiplies_bytes(root: Path = Path("/")) -> bool | None:
    """Say whether the CPU has instructions that multiply and add bytes, or None if the system does not tell."""
    sets = instruction_sets(root)
    return any(sets.get(name, False) for name in BYTE_SETS) if sets else None


def kernel_class(arch: str, sets: dict[str, bool]) -> str | None:
    """Return the architecture with those of KERNEL_SETS that the CPU has, or without those that it could have.

    None if the system does not tell.
    """
    known = {name: sets[name] for name in KERNEL_SETS if name in sets}
    if not known:
        return None
    has = [name for name, there in known.items() if there and not (name == "AVX" and known["AVX2"])]
    return f"{arch} {'with' if has else 'without'} {units.listed(has or list(known))}"
