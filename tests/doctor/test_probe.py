"""Every way in which a runtime can fail becomes one named line with the command that mends it."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import constraints, extras, registry, runtimes
from toolkit.doctor.child import PACKAGES
from toolkit.doctor.probe import probe
from toolkit.doctor.remedy import interpreter, pip

# Seconds in which a process that was killed is surely gone.
PATIENCE_S = 60.0
FOUND = json.dumps(
    {"step": "found", "package": "onnxruntime", "extra": "onnx", "installed": True, "versions": {"onnxruntime": "1.0"}}
)
IMPORTED = json.dumps({"step": "imported", "devices": ["CPU"]})
REINSTALL = (
    f"{interpreter()} -m pip install --force-reinstall --no-deps 'onnxruntime=={constraints.tested()['onnxruntime']}'"
)


def die(*steps, how):
    """Return the command of a child that tells its steps and then does ``how``."""
    told = "".join(f"print({step!r}, flush=True);" for step in steps)
    return (sys.executable, "-S", "-c", f"import os, sys, time; {told} {how}")


@pytest.mark.parametrize(
    ("signal", "steps", "said", "remedy"),
    [
        (4, (FOUND,), "was ended by SIGILL when importing it: it uses an instruction that this CPU", REINSTALL),
        (11, (FOUND,), "was ended by SIGSEGV when importing it", REINSTALL),
        (6, (FOUND, IMPORTED), "was ended by SIGABRT when running a model", REINSTALL),
        (9, (FOUND, IMPORTED), "most likely the memory did not suffice", "close other programs or add swap space"),
    ],
)
def test_the_signal_that_ended_a_probe_is_named(signal, steps, said, remedy):
    found = probe("onnxruntime", command=die(*steps, how=f"os.kill(os.getpid(), {signal})")).finding
    assert found.state == "broken"
    assert found.text.startswith("onnxruntime was ended by ")
    assert said in found.text
    assert found.remedy.startswith(remedy)


def test_where_the_tested_version_cannot_run_it_is_taken_away():
    tested = FOUND.replace("1.0", constraints.tested()["onnxruntime"])
    found = probe("onnxruntime", command=die(tested, how="os.kill(os.getpid(), 4)")).finding
    assert found.remedy == f"{interpreter()} -m pip uninstall onnxruntime"


def test_a_hang_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    """Its time is over as soon as the grandchild is there, which holds a pipe open as long as it lives."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    grandchild = f"import os, time; pipe = open({str(pipe)!r}, 'wb', 0); pipe.write(b'here'); time.sleep(600)"
    how = f"import subprocess; subprocess.Popen([sys.executable, '-S', '-c', {grandchild!r}]); time.sleep(600)"
    streams = []

    class Hanging(subprocess.Popen):
        def wait(self, timeout=None):
            if timeout is None or streams:
                return super().wait(timeout)
            streams.append(pipe.open("rb", 0))
            assert streams[0].read(4) == b"here"
            raise subprocess.TimeoutExpired(self.args, timeout)

    monkeypatch.setattr(subprocess, "Popen", Hanging)
    found = probe("onnxruntime", command=die(FOUND, how=how), deadline_s=7.0).finding
    assert found.text == "onnxruntime did not come to an end in 7 s when importing it"
    assert found.remedy == REINSTALL
    with streams[0] as stream:
        assert select.select([stream], [], [], PATIENCE_S)[0]
        assert stream.read(1) == b""  # nobody holds its other end


def test_a_package_that_ends_the_process_is_not_taken_for_one_that_works():
    found = probe("onnxruntime", command=die(FOUND, how="sys.exit(0)")).finding
    assert (found.state, found.text) == (
        "broken",
        "onnxruntime fails when importing it: it ended the process",
    )


def broken_package(folder: Path, name: str, code: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said", "mended"),
    [
        (
            "raise TypeError('Descriptors cannot be created directly.\\nIf this call came from a _pb2.py file …')",
            "onnxruntime and protobuf are of versions that do not go together: TypeError: Descriptors cannot be",
            "protobuf",
        ),
        ("import flatbuffers_that_is_not_there", "No module named 'flatbuffers_that_is_not_there'", "onnxruntime"),
        ("raise ModuleNotFoundError(\"No module named 'google.protobuf'\")", "No module named 'google", "protobuf"),
        ("raise ImportError('numpy.core.multiarray failed to import')", "onnxruntime and numpy are of", "numpy"),
    ],
)
def test_an_install_that_cannot_be_imported_names_the_package_to_mend(tmp_path, monkeypatch, code, said, mended):
    broken_package(tmp_path, "onnxruntime", code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    found = probe("onnxruntime").finding
    assert found.state == "broken"
    assert said in found.text
    assert "\n" not in found.text
    assert found.remedy == pip(f"install --force-reinstall --no-deps {constraints.requirement(mended)}")


NUMPY = f"{interpreter()} -m pip install --force-reinstall --no-deps {constraints.requirement('numpy')}"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.kill(os.getpid(), 4)", "numpy was ended by SIGILL when importing it: it uses an instruction"),
        ("import os; os.kill(os.getpid(), 11)", "numpy was ended by SIGSEGV when importing it"),
        ("raise ImportError('multiarray.so: file too short')", "numpy fails when importing it: ImportError: multiarr"),
    ],
)
def test_where_numpy_is_what_breaks_no_runtime_is_named(tmp_path, monkeypatch, code, said):
    broken_package(tmp_path, "numpy", code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    found = [probe(part).finding for part in ("numpy", "litert", "keras")]
    assert {finding.state for finding in found} == {"broken"}
    assert len({finding.text for finding in found}) == 1
    assert found[0].text.startswith(said)
    assert {finding.remedy for finding in found} == {NUMPY}


def test_a_part_that_ends_before_it_was_looked_for_gets_no_command_for_a_package_that_does_not_exist():
    found = probe("litert", command=die(how="os.kill(os.getpid(), 4)")).finding
    assert found.text.startswith("litert was ended by SIGILL when looking for it")
    assert found.remedy is None


def test_a_system_that_is_too_old_is_named(tmp_path, monkeypatch):
    broken_package(
        tmp_path,
        "onnxruntime",
        'raise ImportError("/lib/libc.so.6: version `GLIBC_2.34\' not found (required by x.so)")',
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    found = probe("onnxruntime").finding
    assert found.text == "onnxruntime needs a newer system (GLIBC_2.34)"


@pytest.mark.parametrize("installed", [True, False])
def test_a_package_without_its_files_is_broken_and_one_never_installed_is_absent(installed):
    versions = {"onnxruntime": "1.32.0"} if installed else {}
    step = json.dumps(
        {"step": "found", "package": "onnxruntime", "extra": "onnx", "installed": False, "versions": versions}
    )
    found = probe("onnxruntime", command=die(step, how="pass")).finding
    if installed:
        assert (found.state, found.remedy) == ("broken", REINSTALL)
        assert found.text == "onnxruntime is listed as installed, but its files are missing"
    else:
        assert (found.state, found.text) == ("absent", "onnxruntime is not installed")
        assert found.remedy == f"{interpreter()} -m pip install 'edge-model-toolkit[onnx]'"


PARTS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "keras" else name
    for name in (*PACKAGES, *registry.names("toolkit.runtimes"))
    if name != "tflm" or runtimes.installed(name)
]


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_sound_install_works(part):
    tried = probe(part)
    assert tried.finding.state == "ok", tried.finding
    assert tried.versions.items() <= {name: constraints.tested()[name] for name in tried.versions}.items()
    assert ("ran a model" in tried.finding.text) == (part in ("litert", "onnxruntime", "tflm"))
    if part not in PACKAGES:
        assert tried.devices[0] == "CPU"


def test_packages_name_what_can_be_imported():
    assert all(extras.installed(module) for module, _ in PACKAGES.values())
