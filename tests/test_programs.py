"""Other programs: what they wrote, and that nothing of them lives on."""

import os
import signal

import pytest

from tests.processes import left_after, with_variable
from toolkit import programs

LEFT_S = 10.0


def shell(script, **more):
    return programs.run(["/bin/sh", "-c", script], **more)


def test_what_it_wrote_and_how_it_ended_is_returned():
    assert shell("echo out; echo err >&2; exit 3") == programs.Ended(3, "out\n", "err\n")
    assert shell("kill -9 $$").code == -9
    assert shell("read line || echo none").output == "none\n"


@pytest.mark.parametrize(
    ("script", "seconds", "code"),
    [
        ("sleep 60 & exit 0", None, 0),
        ("sleep 60 & wait", 0.2, None),
        ("trap '' TERM; sleep 60 & wait; wait", 0.2, None),
    ],
    ids=["that ended", "that took too long", "that does not heed it"],
)
def test_nothing_that_a_program_has_started_lives_on(monkeypatch, tmp_path, script, seconds, code):
    monkeypatch.setattr(programs, "END_S", 0.2)
    variables = {**os.environ, "TOOLKIT_TEST_PROGRAM": str(tmp_path)}
    assert shell(script, seconds=seconds, variables=variables).code == code
    assert left_after(LEFT_S, lambda: with_variable("TOOLKIT_TEST_PROGRAM", str(tmp_path))) == []


@pytest.fixture
def heeds_ctrl_c():
    """Tests that were started in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_it_too(tmp_path):
    variables = {**os.environ, "TOOLKIT_TEST_PROGRAM": str(tmp_path)}
    with pytest.raises(KeyboardInterrupt):
        # Not at once: while Popen starts it, a process is nobody's yet.
        shell("sleep 0.5; kill -INT $PPID; sleep 60", variables=variables)
    assert left_after(LEFT_S, lambda: with_variable("TOOLKIT_TEST_PROGRAM", str(tmp_path))) == []


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_while_it_is_ended_leaves_nothing_either(tmp_path):
    variables = {**os.environ, "TOOLKIT_TEST_PROGRAM": str(tmp_path)}
    with pytest.raises(KeyboardInterrupt):
        shell("trap 'kill -INT $PPID' TERM; sleep 60 & wait; wait", seconds=0.2, variables=variables)
    assert left_after(LEFT_S, lambda: with_variable("TOOLKIT_TEST_PROGRAM", str(tmp_path))) == []
