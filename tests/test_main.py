"""What asks the program to end, as a process: Ctrl-C, SIGTERM and SIGHUP at several moments."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import toolkit
from tests.conftest import SHIPPED
from tests.processes import left_after, with_variable
from toolkit import __main__ as program

ARTIFACT = str(SHIPPED / "mlp-int8.tflite")
# Seconds that what a killed process has started may take to end.
END_S = 20.0
# Calls a verb; a function of the program sends a signal to it, as often as `timeout` does.
STRUCK = """
import os, signal, sys
import {module}
from toolkit import __main__
real = {module}.{function}
def struck(*given, **more):
    for _ in range(2):
        os.kill(os.getpid(), signal.{name})
    return real(*given, **more)
{module}.{function} = struck
__main__.main()
"""


def heeding():
    """Take each signal as a shell in the foreground has it, whatever has started the tests."""
    for number in program.SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def ended(*command, path=(), **more):
    """Return the exit code, the output and the errors of a Python process."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (*path, Path(toolkit.__file__).parents[1])))}
    environment |= more.pop("variables", {})
    more |= {"env": environment, "capture_output": True, "text": True, "preexec_fn": heeding}
    done = subprocess.run([sys.executable, *command], check=False, **more)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "line"),
    [*((number.name, "{}") for number in program.SIGNALS), ("SIGTERM", 'exec("{}")')],
    ids=[*(number.name for number in program.SIGNALS), "while a class is made"],
)
def test_a_signal_while_modules_are_imported_is_one_line(tmp_path, name, line):
    (tmp_path / "typer.py").write_text(line.format(f"import os, signal; os.kill(os.getpid(), signal.{name})"))
    code = 128 + signal.Signals[name]
    assert ended("-m", "toolkit", "data", path=[tmp_path]) == (code, "", "error: interrupted\n")


@pytest.mark.parametrize(
    ("name", "module", "function", "verb"),
    [
        ("SIGTERM", "toolkit.worker.process", "Process._look", ("predict", "digit.png", "--model", ARTIFACT)),
        ("SIGTERM", "os", "fsync", ("bundle", ARTIFACT)),
        ("SIGHUP", "os", "fsync", ("bundle", ARTIFACT)),
    ],
    ids=["while a worker is waited for", "while a file is written", "SIGHUP"],
)
def test_a_signal_ends_a_verb_as_ctrl_c_does(tmp_path, name, module, function, verb):
    """Its scratch folders and partial files are removed and its workers ended, also if it gets the signal twice."""
    here, own = tmp_path / "here", tmp_path / "own"
    here.mkdir()
    own.mkdir()
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(here / "digit.png")
    script = STRUCK.format(module=module, function=function, name=name)
    done = ended("-c", script, *verb, cwd=here, variables={"TMPDIR": str(own)})
    assert done == (128 + signal.Signals[name], "", "error: interrupted\n")
    assert left_after(END_S, lambda: with_variable("TMPDIR", str(own))) == []
    assert [*own.iterdir(), *here.iterdir()] == [here / "digit.png"]


def test_ctrl_c_that_no_verb_has_met_ends_the_program_with_130(monkeypatch, capsys):
    monkeypatch.setattr("toolkit.cli.main", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "error: interrupted\n")


def test_after_the_verb_a_signal_ends_the_process_at_once():
    """Without the traceback of whatever Python does at its end."""
    script = "import atexit, os, signal, toolkit.cli; from toolkit import __main__ as m; toolkit.cli.main = lambda: 0; "
    late = "atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM)); m.main()"
    assert ended("-c", script + late) == (-signal.SIGTERM, "", "")


def test_what_nohup_has_ignored_stays_ignored():
    script = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from toolkit import __main__ as m; "
    raised = "import toolkit.cli; toolkit.cli.main = lambda: signal.raise_signal(signal.SIGHUP); m.main()"
    assert ended("-c", script + raised) == (0, "", "")


def test_a_later_signal_is_another_request_and_one_at_once_is_not(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    request = program._EndRequest()
    with pytest.raises(KeyboardInterrupt):
        request(signal.SIGHUP, None)
    request(signal.SIGTERM, None)
    assert request.exit_code == 129
    now_s = program.SAME_S
    with pytest.raises(KeyboardInterrupt):
        request(signal.SIGTERM, None)
    assert request.exit_code == 143


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(tmp_path, closed):
    """No file of the verb takes its place: what others print would be in it."""
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(tmp_path / "digit.png")
    run = f"exec '{sys.executable}' -m toolkit predict digit.png --model '{ARTIFACT}' {closed}"
    code, out, err = ended("-c", f'import os; os.execv("/bin/sh", ["sh", "-c", {run!r}])', cwd=tmp_path)
    assert (code, out, "error" in err) == (0, "", False)


def test_a_reader_that_has_ended_is_no_failed_check():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "toolkit"]
    for arguments in (["data"], ["data", "--json"]):  # printed by rich, and by Python
        done = subprocess.run([*command, *arguments], stdout=writing, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stderr) == (141, b"")
    os.close(writing)


def test_a_full_disk_under_the_output_is_named_and_one_under_the_progress_changes_nothing():
    command = [sys.executable, "-m", "toolkit", "check-bundle", "nowhere.zip"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([*command[:3], "data"], stdout=full, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stderr) == (2, b"error: standard output: No space left on device\n")
        assert subprocess.run(command, stderr=full, check=False).returncode == 2
