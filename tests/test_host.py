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
    }
    for name, text in contents.items():
        path = root / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


PI_5 = "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
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


def test_a_machine_that_tells_nothing_is_described_all_the_same(tmp_path):
    found = host.describe(tmp_path)
    assert found.memory_bytes is None
    assert found.governor is None
    assert found.cpu
    assert host.available_memory_bytes(tmp_path) is None
