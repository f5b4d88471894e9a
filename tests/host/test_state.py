"""What may change on a machine, by its files."""

import pytest

from tests.host.machines import PC, PI_4, PI_5, machine
from toolkit import host


def test_the_state_of_a_raspberry_pi_4(tmp_path):
    """Too weak a power supply: under-voltage and capped now, both and throttled since boot."""
    root = machine(
        tmp_path, cpuinfo=PI_4, governor="ondemand\n", clock_0="1500000\n",
        clock_1="600000\n", temperature="61835\n", loadavg="0.52 0.58 0.59 1/467 12345\n", throttled="70003\n",
        stat="cpu  100 0 50 9000 3 0 1 0 0 0\ncpu0 50 0 25 4500 1 0 0 0 0 0\n",
    )  # fmt: skip
    assert host.read_state(root) == host.State(1.05e9, "ondemand", 61.835, 0.52, 1, 0x70003, 0.0)
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
    found = host.read_state(root)
    assert (found.clock_hz, found.temperature_c, found.throttled) == (2.4e9, 48.0, 0)
    assert host.describe(root).throttled == ()
    assert host.describe(root).virtual is None


def test_the_state_of_a_pc_is_read_from_its_system_files(tmp_path):
    root = machine(
        tmp_path, cpuinfo=PC + "cpu MHz\t\t: 2712.003\nflags\t\t: fpu sse\n", temperature="40000", hottest="71000",
        stat="cpu  100 0 50 9000 3 0 1 250 0 0\n",
    )  # fmt: skip
    found = host.read_state(root)
    assert (found.clock_hz, found.temperature_c, found.throttled, found.steal_s) == (2712.003e6, 71.0, None, 2.5)
    assert found.governor is None


def test_a_system_that_tells_nothing_is_no_error(tmp_path):
    assert host.read_state(tmp_path) == host.State(None, None, None, None, None, None, None)
    machine(tmp_path, throttled="not hexadecimal", temperature="hot")
    assert host.read_state(tmp_path).throttled is host.read_state(tmp_path).temperature_c is None


@pytest.mark.parametrize("bit", host.THROTTLE_BITS)
def test_every_bit_of_the_firmware_is_put_into_words(bit):
    word = host.THROTTLE_BITS[bit]
    assert host.describe_throttled(1 << bit) == (f"{word} now",)
    assert host.describe_throttled(1 << bit + 16) == (f"{word} since boot",)
