"""The CPU itself counts: perf events of this thread, without what the kernel does for it (perf_event_open(2))."""

import ctypes
import errno
import os
import platform
import struct
import sys

from toolkit.bench.instructions.counting import Counter

# The number of the system call (Linux: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
_NUMBERS = {"x86_64": 298, "aarch64": 241}
# Of struct perf_event_attr (include/uapi/linux/perf_event.h): its first size, a count of the hardware, instructions; it
# counts always or not at all (pinned), and neither in the kernel nor in the hypervisor.
_SIZE, _HARDWARE, _INSTRUCTIONS = 64, 0, 1
_PINNED, _WITHOUT_KERNEL, _WITHOUT_HYPERVISOR = 1 << 2, 1 << 5, 1 << 6
_CLOSE_ON_EXEC = 8
# What perf_event_open says of an event that the CPU, or its virtual machine, does not have.
_NO_EVENT = (errno.ENOENT, errno.EOPNOTSUPP)
# Bytes of a count.
_COUNT_BYTES = 8


def counter() -> Counter:
    """Return what counts this thread's instructions from now on. Raises OSError if the system does not let it."""
    event = _opened()
    return lambda: _read(event)


def refused() -> str | None:
    """Return why the CPU does not count here, None if it does."""
    try:
        os.close(_opened())
    except OSError as error:
        return "the machine has no such event" if error.errno in _NO_EVENT else error.strerror
    return None


def _opened() -> int:
    """Return the file descriptor of an event that counts."""
    number = _NUMBERS.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    flags = _PINNED | _WITHOUT_KERNEL | _WITHOUT_HYPERVISOR
    attributes = struct.pack("IIQQQQQ", _HARDWARE, _SIZE, _INSTRUCTIONS, 0, 0, 0, flags).ljust(_SIZE, b"\0")
    system = ctypes.CDLL(None, use_errno=True)
    this_thread, any_cpu, no_group, options = (ctypes.c_long(value) for value in (0, -1, -1, _CLOSE_ON_EXEC))
    event: int = system.syscall(ctypes.c_long(number), attributes, this_thread, any_cpu, no_group, options)
    if event < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    try:
        if _read(event) == _read(event):  # some virtual machines have the event, and it counts nothing
            raise OSError(errno.ENODEV, "they count nothing")
    except OSError:
        os.close(event)
        raise
    return event


def _read(event: int) -> int:
    count = os.read(event, _COUNT_BYTES)
    if len(count) < _COUNT_BYTES:  # a pinned event that lost its counter: its file is at its end
        raise OSError(errno.EBUSY, "another program counts there")
    return int.from_bytes(count, sys.byteorder)
