"""This machine: facts about it, its state, and the kernel class of its CPU."""

from toolkit.host.facts import Host, bits, describe, differences, unsupported
from toolkit.host.kernels import instruction_sets, multiplies_bytes
from toolkit.host.state import SINCE_BOOT_SHIFT, THROTTLE_BITS, State, describe_throttled, read_state
from toolkit.host.system import available_memory_bytes, process_memory_bytes, process_waited_s

__all__ = [
    "SINCE_BOOT_SHIFT",
    "THROTTLE_BITS",
    "Host",
    "State",
    "available_memory_bytes",
    "bits",
    "describe",
    "describe_throttled",
    "differences",
    "instruction_sets",
    "multiplies_bytes",
    "process_memory_bytes",
    "process_waited_s",
    "read_state",
    "unsupported",
]
