"""What may change on this machine while something is measured."""

from dataclasses import dataclass
from pathlib import Path

from toolkit.host import system

# Bits of `vcgencmd get_throttled` (Raspberry Pi documentation, "vcgencmd"): now, and 16 higher since boot.
THROTTLE_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
SINCE_BOOT_SHIFT = 16
# Where the firmware's driver keeps them; the name of the SoC's node differs between models.
_THROTTLED = "sys/devices/platform/soc*/soc*:firmware/get_throttled"
# Units of /proc/stat in a second (USER_HZ, 100 on Linux), and the place of the time that a hypervisor took.
_TICKS = 100
_STEAL_COLUMN = 8
_GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


@dataclass(frozen=True)
class State:
    """What may change while something is measured; None if the system does not tell.

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


def read_state(root: Path = Path("/")) -> State:
    """Read what may change, from the system files under ``root``."""
    clocks = [system.number(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [clock * 1000 for clock in clocks if clock is not None]
    zones = [system.number(path) for path in root.glob("sys/class/thermal/thermal_zone*/temp")]
    # 0.52 0.58 0.59 1/467 12345: means of 1, 5 and 15 minutes, running of all threads, the newest process
    load = (system.read(root / "proc/loadavg") or "").replace("/", " ").split()
    stat = (system.read(root / "proc/stat") or "").partition("\n")[0].split()
    return State(
        clock_hz=sum(known) / len(known) if known else _cpuinfo_clock_hz(root),
        governor=governor(root),
        temperature_c=max((zone / 1000 for zone in zones if zone is not None), default=None),
        load=float(load[0]) if load else None,
        running=int(load[3]) if len(load) > 3 else None,
        throttled=throttled(root),
        steal_s=int(stat[_STEAL_COLUMN]) / _TICKS if len(stat) > _STEAL_COLUMN else None,
    )


def governor(root: Path) -> str | None:
    """Return what governs the clock of the first CPU."""
    return system.read(root / _GOVERNOR)


def throttled(root: Path) -> int | None:
    """Return the bits that `vcgencmd get_throttled` prints, from the file that the firmware's driver keeps."""
    path = next(root.glob(_THROTTLED), None)
    try:
        return None if path is None else int(system.read(path) or "", 16)
    except ValueError:
        return None


def describe_throttled(bits: int | None) -> tuple[str, ...]:
    """Return in words what a Raspberry Pi reports about its power and temperature, now and since it started."""
    if not bits:
        return ()
    now = [f"{word} now" for bit, word in THROTTLE_BITS.items() if bits >> bit & 1]
    before = [f"{word} since boot" for bit, word in THROTTLE_BITS.items() if bits >> (bit + SINCE_BOOT_SHIFT) & 1]
    return (*now, *before)


def _cpuinfo_clock_hz(root: Path) -> float | None:
    lines = (system.read(root / "proc/cpuinfo") or "").splitlines()
    clocks = [float(line.partition(":")[2]) * 1e6 for line in lines if line.startswith("cpu MHz")]
    return sum(clocks) / len(clocks) if clocks else None
