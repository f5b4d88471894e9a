"""What the files of a machine say of its CPU."""

import pytest

from tests.host.machines import PC, PI_4, PI_5, machine
from toolkit import host


@pytest.mark.parametrize(
    ("cpuinfo", "sets"),
    [
        (PI_4, {"dotprod": False, "i8mm": False, "fp16": False, "bf16": False}),
        (PI_5, {"dotprod": True, "i8mm": False, "fp16": True, "bf16": False}),
        (PI_5 + "\n" + PI_4, {"dotprod": False, "i8mm": False, "fp16": False, "bf16": False}),
        (
            PC + "flags\t\t: fpu avx avx2 avx512f avx512_vnni\n",
            {"AVX": True, "AVX2": True, "AVX-512": True, "VNNI": True, "fp16": False, "bf16": False, "AMX int8": False},
        ),
        (
            PC + "flags\t\t: fpu avx avx2 avx_vnni\n",
            {
                "AVX": True,
                "AVX2": True,
                "AVX-512": False,
                "VNNI": True,
                "fp16": False,
                "bf16": False,
                "AMX int8": False,
            },
        ),
        ("", {}),
    ],
)
def test_the_instruction_sets_are_those_that_every_core_has(tmp_path, cpuinfo, sets):
    root = machine(tmp_path, cpuinfo=cpuinfo)
    assert host.instruction_sets(root) == sets
    assert host.multiplies_bytes(root) == (sets.get("VNNI") or sets.get("dotprod") if sets else None)


@pytest.mark.parametrize(
    ("arch", "cpuinfo", "told"),
    [
        ("aarch64", PI_4, "aarch64 without dotprod and i8mm"),
        ("aarch64", PI_5, "aarch64 with dotprod"),
        ("x86_64", PC + "flags\t: fpu avx\n", "x86_64 with AVX"),
        ("x86_64", PC + "flags\t: fpu avx avx2\n", "x86_64 with AVX2"),
        ("x86_64", PC + "flags\t: fpu avx avx2 avx_vnni avx512_bf16\n", "x86_64 with AVX2 and VNNI"),
        ("x86_64", PC + "flags\t: avx avx2 avx512f avx512_vnni\n", "x86_64 with AVX2, AVX-512 and VNNI"),
        ("x86_64", PC + "flags\t: avx2 avx512f avx512_vnni amx_int8\n", "x86_64 with AVX2, AVX-512, VNNI and AMX int8"),
        ("aarch64", PC + "flags\t: fpu avx avx2\n", None),  # emulated
        ("x86_64", "", None),
    ],
)
def test_the_kernel_class_is_the_architecture_with_the_instruction_sets(tmp_path, monkeypatch, arch, cpuinfo, told):
    monkeypatch.setattr("platform.machine", lambda: arch)
    assert host.describe(machine(tmp_path, cpuinfo=cpuinfo)).kernels == told
