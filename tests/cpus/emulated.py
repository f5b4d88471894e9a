"""The edge part on the CPUs of a Raspberry Pi 4 and 5, emulated side by side: ``make test-arm64``.

Everything is run first, a column of steps on each CPU at once, and each test then looks at what came out.
"""

import json
import re
import shutil
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.cpus import agreement, cost, userspace
from tests.cpus.shorten import shorten
from tests.cpus.userspace import CPUS, ROOT
from toolkit import manifest, runtimes
from toolkit.bench.record import FIGURES, RECORD
from toolkit.bundle.make import make

# Before any test, since they change where the user's cache is.
GUEST = userspace.build()
# The MLP's whole golden takes a second, the CNN's would take three minutes.
IMAGES = {"cnn": 50, "mlp": 500}
# Tests whose outcome may depend on the machine, of what is installed without the extra ``train``.
EDGE_TESTS = (
    "tests/runtimes",
    "tests/bench/test_conditions.py",
    "tests/bench/test_measure.py",
    "tests/bench/test_record.py",
    "tests/parity/test_compare.py",
    "tests/test_files.py",
    "tests/test_host.py",
    "tests/test_images.py",
    "tests/test_manifest.py",
    "tests/test_prediction.py",
    "tests/test_units.py",
)
PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "--color=no", "-m", "not training and not slow and not mnist")
# One artifact of each runtime: a worker takes some seconds to start.
BENCHED = ("exported/mlp/mlp-int8.tflite", "exported/mlp/mlp-int8.onnx")
# What is bundled for a device: one artifact of each runtime.
BUNDLED = ("mlp-int8.tflite", "mlp-int8.onnx")
CORES = {"cortex-a72": "Cortex-A72", "cortex-a76": "Cortex-A76"}


@dataclass(frozen=True)
class Machine:
    """What came out on one CPU: of each command, and the outputs and instructions of each artifact."""

    commands: dict[str, subprocess.CompletedProcess[str]]
    seconds: dict[str, float]
    folder: Path
    outputs: dict[str, np.ndarray]
    instructions: dict[str, int]


def run(cpu: str, folder: Path, library: Path, tiny_exported: Future[Path]) -> Machine:
    """Run every step on one CPU, in a folder with the shipped models."""
    commands, seconds = {}, {}

    def step(name: str, *arguments: str, where: Path = folder, **environment: str) -> None:
        began = time.monotonic()
        command, all_of_it = [GUEST.python, "-m", *arguments], userspace.environment(cpu, **environment)
        commands[name] = subprocess.run(command, cwd=where, env=all_of_it, capture_output=True, text=True)
        seconds[name] = time.monotonic() - began

    for name in BUNDLED:  # unpacked there, and run without toolkit
        (bundle,) = (folder / "bundles" / name).iterdir()
        step(name, "classify", where=bundle)
    step("doctor", "toolkit", "doctor", "--json")
    step("verify", "toolkit", "verify", "--golden", "--json")
    step("bench", "toolkit", "bench", *BENCHED, "--processes", "1", "--seconds", "0.05")
    began = time.monotonic()
    instructions = cost.measure(GUEST, cpu, folder / "exported", folder / "outputs.npz", library=library)
    seconds["outputs and instructions"] = time.monotonic() - began
    step("tests", *PYTEST, *EDGE_TESTS, where=ROOT, TOOLKIT_TEST_EXPORTED=str(tiny_exported.result()))
    return Machine(commands, seconds, folder, dict(np.load(folder / "outputs.npz")), instructions)


@pytest.fixture(scope="session")
def machines(request, tmp_path_factory) -> dict[str, Machine]:
    folders = {cpu: tmp_path_factory.mktemp(cpu) for cpu in CPUS}
    listed = manifest.read(ROOT / "exported" / "mlp")
    for folder in folders.values():
        shorten(ROOT / "exported", folder / "exported", IMAGES)
        for artifact in listed.artifacts:
            if artifact.path in BUNDLED:
                bundle = make(listed, artifact, folder / f"{artifact.path}.zip")
                shutil.unpack_archive(bundle.path, folder / "bundles" / artifact.path)
    library = cost.plugin(tmp_path_factory.mktemp("plugin"))
    tiny_exported: Future[Path] = Future()
    with ThreadPoolExecutor(len(CPUS)) as pool:
        running = {cpu: pool.submit(run, cpu, folder, library, tiny_exported) for cpu, folder in folders.items()}
        try:  # meanwhile, what needs TensorFlow, which only this host has
            tiny_exported.set_result(request.getfixturevalue("exported_once"))
        except BaseException as error:
            tiny_exported.set_exception(error)
            raise
        found = {cpu: future.result() for cpu, future in running.items()}
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for cpu, machine in found.items():
            steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in machine.seconds.items())
            print(f"\n{cpu}: {steps}", end=" ")
    return found


@pytest.fixture(params=CPUS)
def cpu(request) -> str:
    return request.param


@pytest.fixture
def machine(machines, cpu) -> Machine:
    return machines[cpu]


@pytest.fixture(scope="session")
def x86(machines) -> dict[str, np.ndarray]:
    """The outputs of this host."""
    return {
        artifact.path: runtimes.open_session(found.folder / artifact.path).predict(images)
        for found, artifact, images in shipped(next(iter(machines.values())).folder)
    }


def shipped(folder: Path):
    """Return each manifest and artifact below a folder with the images of its golden."""
    for listing in sorted(folder.glob(f"exported/*/{manifest.MANIFEST}")):
        found = manifest.read(listing.parent)
        with np.load(found.golden_path) as golden:
            images = golden["images"]
        for artifact in found.artifacts:
            yield found, artifact, images


def rules(folder: Path):
    """Return the path, the rule and the size of a step of each artifact's output."""
    for found, artifact, _ in shipped(folder):
        runtime = runtimes.for_file(found.folder / artifact.path)
        yield artifact.path, agreement.RULES[runtime, artifact.quantization], artifact.outputs[0].scale


def done(machine: Machine, name: str) -> subprocess.CompletedProcess[str]:
    """Return a command that ended well."""
    found = machine.commands[name]
    assert found.returncode == 0, f"{found.stdout}\n{found.stderr}"
    return found


def test_the_edge_part_of_the_tests_passes(machine):
    counts = done(machine, "tests").stdout.splitlines()[-1]
    assert re.match(r"\d{3,} passed, \d+ deselected", counts), counts


def test_the_doctor_finds_nothing_to_mend(machine, cpu):
    document = json.loads(done(machine, "doctor").stdout)
    states = {part["name"]: part["state"] for part in document["parts"]}
    assert states == {"numpy": "ok", "pillow": "ok", "litert": "ok", "onnxruntime": "ok", "keras": "absent"}
    assert (document["host"]["emulated"], document["host"]["cpu"]) == (True, CORES[cpu])


def test_every_shipped_artifact_passes_by_golden(machine):
    document = json.loads(done(machine, "verify").stdout)
    assert len(document["results"]) == 12
    assert {result["verdict"] for result in document["results"]} == {"pass"}
    assert [result["n"] for result in document["results"]] == [IMAGES["cnn"]] * 6 + [IMAGES["mlp"]] * 6


def test_a_bundle_classifies_like_the_machine_that_exported_it(machine):
    for name in BUNDLED:
        said = done(machine, name).stdout
        assert said == f"{name}: 500 of 500 predictions are those of the machine that exported it\n"


def test_a_benchmark_says_that_it_is_emulated_and_gives_no_latency(machine, cpu):
    shown = done(machine, "bench")
    assert "warning: 2 of 2 rows: emulated: it runs, and no latency is given" in shown.stderr
    assert re.findall(r"\d (?:s|ms|µs|ns)\b", shown.stdout) == []
    (record,) = machine.folder.glob(f"benchmarks/*/{RECORD}")
    document = json.loads(record.read_text())
    assert (document["host"]["emulated"], document["host"]["cpu"]) == (True, CORES[cpu])
    assert len(document["results"]) == 2
    assert {result[figure] for result in document["results"] for figure in FIGURES} == {None}


def test_both_cpus_give_the_same_outputs(machines):
    (one, other) = machines.values()
    found = {
        path: agreement.between_cpus(one.outputs[path], other.outputs[path], rule)
        for path, rule, _ in rules(one.folder)
    }
    assert {path: problem for path, problem in found.items() if problem} == {}


def test_an_arm64_cpu_gives_the_outputs_of_x86(machine, x86):
    found = {
        path: agreement.from_x86(machine.outputs[path], x86[path], rule, step=step)
        for path, rule, step in rules(machine.folder)
    }
    assert {path: problem for path, problem in found.items() if problem} == {}


def test_an_inference_costs_the_instructions_of_the_page(machine, cpu):
    listed = cost.parse(cost.PAGE.read_text())[cpu]
    assert cost.changes(listed, machine.instructions) == [], "if this is meant: make arm64-cost, and commit the page"
