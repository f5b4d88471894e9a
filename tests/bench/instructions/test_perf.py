"""perf events: a pipe stands in for the kernel's file descriptor, so that the counts are known."""

import ctypes
import os
import sys

import pytest

from toolkit.bench.instructions import perf


class System:
    """In place of the C library: the system call gives a file descriptor, or fails."""

    def __init__(self, event):
        self.event, self.asked = event, []

    def syscall(self, *arguments):
        self.asked.append(arguments)
        return self.event


@pytest.fixture
def event_of(monkeypatch):
    """Give out an event that says these counts."""

    def give(*counts):
        source, sink = os.pipe()
        for count in counts:
            os.write(sink, count.to_bytes(8, sys.byteorder))
        os.close(sink)
        system = System(source)
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: system)
        monkeypatch.setattr("platform.machine", lambda: "aarch64")
        return system

    return give


def test_the_event_counts_instructions_of_this_thread_outside_of_the_kernel(event_of):
    system = event_of(5, 9, 1000, 1100)
    executed = perf.counter()
    assert (executed(), executed()) == (1000, 1100)
    ((number, attributes, *rest),) = system.asked
    assert number.value == 241
    assert [value.value for value in rest] == [0, -1, -1, 8]
    kind, size, config = (
        int.from_bytes(attributes[start:stop], sys.byteorder) for start, stop in ((0, 4), (4, 8), (8, 16))
    )
    assert (kind, size, config, len(attributes)) == (0, 64, 1, 64)


def test_an_event_that_counts_nothing_is_refused(event_of):
    event_of(3, 3)
    assert perf.refused() == "they count nothing"


def test_an_event_that_lost_its_counter_counts_no_more(event_of):
    event_of(5, 9, 1000)
    executed = perf.counter()
    assert executed() == 1000
    with pytest.raises(OSError, match="another program counts there"):
        executed()


@pytest.mark.parametrize("counts", [(), (5,)])
def test_an_event_without_a_counter_is_refused_and_closed(event_of, counts):
    system = event_of(*counts)
    assert perf.refused() == "another program counts there"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(system.event)


def test_why_the_system_refuses_perf_events_is_said(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: System(-1))
    monkeypatch.setattr(ctypes, "get_errno", lambda: 13)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert perf.refused() == "Permission denied"
    monkeypatch.setattr(ctypes, "get_errno", lambda: 2)
    assert perf.refused() == "the machine has no such event"
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert perf.refused() == "Function not implemented"


@pytest.mark.skipif(perf.refused() is not None, reason=f"perf events are not counted here: {perf.refused()}")
def test_twice_the_work_is_twice_the_instructions():
    def work(turns):
        before = executed()
        sum(range(turns))
        return executed() - before

    executed = perf.counter()
    assert work(20_000) / work(10_000) == pytest.approx(2, rel=0.05)
