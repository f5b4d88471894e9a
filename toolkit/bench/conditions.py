"""What changed on the machine while a block was measured, and what to do about it."""

from toolkit import host
from toolkit.host import State

# Share by which the clock may differ before and after a block.
CLOCK_SHARE = 0.1
# Share of a block's time, on one CPU, that a hypervisor may give to others unnoticed.
STEAL_SHARE = 0.1

CLOCK, GOVERNOR, STEAL = "clock changed", "governor changed", "CPU time taken by other virtual machines"
OTHERS = "other programs running"
_STEADY = "hold the clock: sudo cpupower frequency-set --governor performance"
_POWER = "use a stronger power supply (5 V, 3 A; 5 A for a Raspberry Pi 5)"
_COOL = "cool it: a heat sink or a fan"
ADVICE = {
    CLOCK: _STEADY,
    GOVERNOR: _STEADY,
    STEAL: "measure on a machine of its own, or longer (--thorough)",
    OTHERS: "end what else runs on this machine",
    "under-voltage now": _POWER,
    "frequency capped now": _POWER,
    "throttled now": _COOL,
    "soft temperature limit now": _COOL,
}


def changes(before: State, after: State, *, seconds: float) -> tuple[str, ...]:
    """Return what speaks against a block of ``seconds`` that was measured between two looks at the machine."""
    words = []
    if before.governor != after.governor:
        words.append(GOVERNOR)
    if before.clock_hz and after.clock_hz and abs(after.clock_hz / before.clock_hz - 1) > CLOCK_SHARE:
        words.append(CLOCK)
    stolen_s = (after.steal_s or 0.0) - (before.steal_s or 0.0)
    if stolen_s > STEAL_SHARE * seconds:
        words.append(STEAL)
    if max(before.running or 0, after.running or 0) > 1:  # the benchmark, which looks; its workers wait
        words.append(OTHERS)
    bits = (before.throttled or 0) | (after.throttled or 0)
    # What began and ended within the block is only seen in the bits since boot that it set.
    passed = (after.throttled or 0) & ~(before.throttled or 0)
    bits |= passed >> host.SINCE_BOOT_SHIFT
    return (*words, *(word for word in host.describe_throttled(bits) if word in ADVICE))
