"""Machines made of files: the root is injected."""

from pathlib import Path

import pytest

from toolkit import host


def machine(root: Path, **contents: str) -> Path:
    places = {
        "cpuinfo": "proc/cpuinfo",
        "meminfo": "proc/meminfo",
        "model": "proc/device-tree/model",
        "modalias": "sys/devices/system/cpu/modalias",
        "governor": "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "clock_0": "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
        "clock_1": "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq",
        "temperature": "sys/class/thermal/thermal_zone0/temp",
        "hottest": "sys/class/thermal/thermal_zone1/temp",
        "loadavg": "proc/loadavg",
        "stat": "proc/stat",
        "throttled": "sys/devices/platform/soc/soc:firmware/get_throttled",
        "product": "sys/class/dmi/id/product_name",
        "docker": ".dockerenv",
        "status": "proc/self/status",
    }
    for name, text in contents.items():
        path = root / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


FEATURES_4 = "fp asimd evtstrm crc32 cpuid"
FEATURES_5 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
PI_4 = f"processor\t: 0\nFeatures\t: {FEATURES_4}\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
PI_5 = f"processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: {FEATURES_5}\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
PC = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz\n"


def test_a_raspberry_pi_is_described(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    root = machine(
        tmp_path,
        cpuinfo=PI_5,
        meminfo="MemTotal:  8000000 kB\nMemAvailable:  7000000 kB\n",
        model="Raspberry Pi 5 Model B Rev 1.0\0",
        governor="ondemand\n",
    )
    found = host.describe(root)
    assert found.cpu == "Cortex-A76"
    assert found.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert found.governor == "ondemand"
    assert found.memory_bytes == 8_192_000_000
    assert not found.emulated
    assert host.available_memory_bytes(root) == 7_168_000_000


@pytest.mark.parametrize(
    ("arch", "cpuinfo", "emulated"),
    [("x86_64", PC, False), ("aarch64", PC, True), ("aarch64", PI_5, False), ("x86_64", PI_5, True)],
)
def test_a_cpu_of_another_kind_means_emulation(tmp_path, monkeypatch, arch, cpuinfo, emulated):
    monkeypatch.setattr("platform.machine", lambda: arch)
    assert host.describe(machine(tmp_path, cpuinfo=cpuinfo)).emulated is emulated


def test_a_cpuinfo_that_the_emulated_system_brings_along_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    root = machine(tmp_path, cpuinfo=PI_5, modalias="cpu:type:x86,ven0000fam0006mod00A7:feature:,0000")
    assert host.describe(root).emulated
    machine(tmp_path, modalias="cpu:type:aarch64:feature:,0000,0001")
    assert not host.describe(root).emulated


@pytest.mark.parametrize(("name", "emulated"), [("qemu-x86_64", True), ("python3", False)])
def test_the_kernel_knows_a_process_of_qemu_also_where_the_cpu_is_of_the_same_kind(
    tmp_path, monkeypatch, name, emulated
):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    status = f"Name:\t{name}\nUmask:\t0022\nState:\tR (running)\n"
    root = machine(tmp_path, cpuinfo=PC, modalias="cpu:type:x86,ven0000fam0006mod003C:feature:,0000", status=status)
    assert host.describe(root).emulated is emulated


def test_a_machine_that_tells_nothing_is_described_all_the_same(tmp_path):
    found = host.describe(tmp_path)
    assert found.memory_bytes is None
    assert found.governor is None
    assert found.cpu
    assert host.available_memory_bytes(tmp_path) is None


def test_the_state_of_a_raspberry_pi_4(tmp_path):
    """Too weak a power supply: under-voltage and capped now, both and throttled since boot."""
    root = machine(
        tmp_path, cpuinfo=PI_4, governor="ondemand\n", clock_0="1500000\n",
        clock_1="600000\n", temperature="61835\n", loadavg="0.52 0.58 0.59 1/467 12345\n", throttled="70003\n",
        stat="cpu  100 0 50 9000 3 0 1 0 0 0\ncpu0 50 0 25 4500 1 0 0 0 0 0\n",
    )  # fmt: skip
    assert host.state(root) == host.State(1.05e9, "ondemand", 61.835, 0.52, 1, 0x70003, 0.0)
    assert host.describe(root).throttled == (
        "under-voltage now",
        "frequency capped now",
        "under-voltage since boot",
        "frequency capped since boot",
        "throttled since boot",
    )


def test_the_state_of_a_raspberry_pi_5_that_is_well(tmp_path):
    root = machine(
        tmp_path, cpuinfo=PI_5, governor="performance", clock_0="2400000", temperature="48000", throttled="0"
    )
    node = root / "sys/devices/platform/soc"
    node.rename(node.with_name("soc@107c000000"))
    firmware = root / "sys/devices/platform/soc@107c000000/soc:firmware"
    firmware.rename(firmware.with_name("soc@107c000000:firmware"))
    found = host.state(root)
    assert (found.clock_hz, found.temperature_c, found.throttled) == (2.4e9, 48.0, 0)
    assert host.describe(root).throttled == ()
    assert host.describe(root).virtual is None


def test_the_state_of_a_pc(tmp_path):
    root = machine(
        tmp_path, cpuinfo=PC + "cpu MHz\t\t: 2712.003\nflags\t\t: fpu sse\n", temperature="40000", hottest="71000",
        stat="cpu  100 0 50 9000 3 0 1 250 0 0\n",
    )  # fmt: skip
    found = host.state(root)
    assert (found.clock_hz, found.temperature_c, found.throttled, found.steal_s) == (2712.003e6, 71.0, None, 2.5)
    assert found.governor is None


def test_a_system_that_tells_nothing_is_no_error(tmp_path):
    assert host.state(tmp_path) == host.State(None, None, None, None, None, None, None)
    machine(tmp_path, throttled="not hexadecimal", temperature="hot")
    assert host.state(tmp_path).throttled is host.state(tmp_path).temperature_c is None


@pytest.mark.parametrize("bit", host.THROTTLE_BITS)
def test_every_bit_of_the_firmware_is_put_into_words(bit):
    word = host.THROTTLE_BITS[bit]
    assert host.describe_throttled(1 << bit) == (f"{word} now",)
    assert host.describe_throttled(1 << bit + 16) == (f"{word} since boot",)


@pytest.mark.parametrize(
    ("files", "virtual"),
    [
        ({}, None),
        ({"docker": ""}, "container"),
        ({"cpuinfo": PC + "flags\t: fpu hypervisor\n"}, "virtual machine"),
        ({"product": "Standard PC (QEMU)"}, "virtual machine"),
        ({"docker": "", "product": "Standard PC (QEMU)"}, "container in a virtual machine"),
    ],
)
def test_containers_and_virtual_machines_are_told(tmp_path, files, virtual):
    assert host.describe(machine(tmp_path, **files)).virtual == virtual


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


def test_a_32_bit_python_is_told_on_whatever_kernel(monkeypatch):
    assert host.unsupported() is None
    monkeypatch.setattr("struct.calcsize", lambda kind: 4)
    assert "this Python is 32-bit" in host.unsupported()
