"""What the files of a machine say that it is."""

import pytest

from tests.host.machines import PC, PI_5, machine
from toolkit import host


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


def test_a_32_bit_python_is_told_on_whatever_kernel(monkeypatch):
    assert host.unsupported() is None
    monkeypatch.setattr("struct.calcsize", lambda kind: 4)
    assert "this Python is 32-bit" in host.unsupported()


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_another_system_than_linux_is_told_before_anything_fails_there(monkeypatch, system):
    monkeypatch.setattr("platform.system", lambda: system)
    assert f"this system is {system}, and toolkit runs on Linux only" in host.unsupported()
    assert host.unsupported(64) is None  # of a device
