"""The shipped artifacts on every CPU of the table and on this one, the edge part on the devices: ``make test-cpus``.

Everything is run first, the steps of one CPU after the other and CPUs side by side, and each test then looks at what
came out.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import edge_tests
from tests.cpus import cost, guests, page
from tests.cpus.answers import EXPORTED, Answers, ask, ask_here
from tests.cpus.shorten import shorten
from tests.cpus.table import CPUS, DEVICES, IMAGES, NATIVE
from tests.cpus.userspace import ROOT, environment
from toolkit import manifest
from toolkit.bench.reading import RECORD
from toolkit.bench.record import FIGURES
from toolkit.bundle.make import make

# Before any test, since they change where the user's cache is.
PYTHONS = guests.build()
# CPUs side by side: one more than cores, since bench and doctor wait for processes of theirs.
JOBS = 3
# Images that ``verify`` is given: here the verb is tried, the outputs are looked at of more of them.
VERIFIED = {"cnn": 10, "mlp": 500, "tiny": 50}
# One artifact of each runtime: bench asks a worker of them what doctor would ask another, which takes seconds to start.
BENCHED = ("exported/mlp/mlp-int8.tflite", "exported/mlp/mlp-int8.onnx")
# What is bundled for a device: one artifact of each runtime.
BUNDLED = ("mlp-int8.tflite", "mlp-int8.onnx")
# On these the commands are run, of each architecture the one with the fewest instruction sets: what commands do beside
# running models is the same on the others.
DEVICE = next(iter(DEVICES))
COMMANDED = ["Nehalem", DEVICE]


@dataclass(frozen=True)
class Machine:
    """What came out on one CPU: its answers, and of each command what it said and the seconds it took."""

    answers: Answers
    commands: dict[str, subprocess.CompletedProcess[str]]
    seconds: dict[str, float]
    folder: Path


def run(name: str, folder: Path, exported: Path) -> Machine:
    """Run every step on one CPU, in a folder with the shipped models."""
    commands, seconds = {}, {}

    def step(what: str, *arguments: str, where: Path = folder) -> None:
        began = time.monotonic()
        command, variables = [PYTHONS[name], "-m", *arguments], environment(name)
        commands[what] = subprocess.run(command, cwd=where, env=variables, capture_output=True, text=True)
        seconds[what] = time.monotonic() - began

    began = time.monotonic()
    answers = ask(name, PYTHONS[name], exported, folder / "outputs.npz", counted=name in DEVICES)
    seconds["outputs"] = time.monotonic() - began
    if name in COMMANDED:
        step("doctor", "toolkit", "doctor", "--json", where=folder / "bundles")  # no artifact is there
        step("bench", "toolkit", "bench", *BENCHED, "--processes", "1", "--seconds", "0.05")
    if name == DEVICE:
        for artifact in BUNDLED:  # unpacked there, and run without toolkit
            (bundle,) = (folder / "bundles" / artifact).iterdir()
            step(artifact, "classify", where=bundle)
        step("verify", "toolkit", "verify", "--golden", "--json")
    if name in DEVICES:
        # What the kernels decide is tried on each device, the rest, which takes minutes, on one of them.
        paths = edge_tests.MACHINE if name == DEVICE else edge_tests.KERNELS
        step("tests", *edge_tests.PYTEST, *paths, where=ROOT)
    return Machine(answers, commands, seconds, folder)


def furnish(folder: Path) -> Path:
    """Put the shipped models and bundles of two of them into a folder."""
    shorten(EXPORTED, folder / "exported", VERIFIED)
    listed = manifest.read(EXPORTED / "mlp")
    for artifact in listed.artifacts:
        if artifact.path in BUNDLED:
            bundle = make(listed, artifact, folder / f"{artifact.path}.zip")
            shutil.unpack_archive(bundle.path, folder / "bundles" / artifact.path)
    return folder


@pytest.fixture(scope="session")
def given(tmp_path_factory) -> Path:
    """The shipped models, and what all CPUs are asked of them."""
    return shorten(EXPORTED, tmp_path_factory.mktemp("shipped") / "exported", IMAGES)


@pytest.fixture(scope="session")
def machines(request, tmp_path_factory, given) -> dict[str, Machine]:
    # Those with the most to do first.
    order = sorted(CPUS, key=lambda name: (name in DEVICES, name in COMMANDED), reverse=True)
    folders = {name: furnish(tmp_path_factory.mktemp(name)) for name in order}
    with ThreadPoolExecutor(JOBS) as pool:
        running = {name: pool.submit(run, name, folder, given) for name, folder in folders.items()}
        found = {name: running[name].result() for name in CPUS}
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for name, machine in found.items():
            steps = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in machine.seconds.items())
            print(f"\n{name}: {steps}", end=" ")
    return found


@pytest.fixture(scope="session")
def answers(request, machines, given, tmp_path_factory) -> Mapping[str, Answers]:
    """Of every CPU, and of this machine."""
    here = ask_here(given, tmp_path_factory.mktemp("native") / "outputs.npz")
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{NATIVE}: {here.cpu}, {', '.join(sorted(here.told)) or 'no instruction set that matters'}", end=" ")
    return {**{name: machine.answers for name, machine in machines.items()}, NATIVE: here}


@pytest.fixture(params=DEVICES)
def device(request) -> str:
    return request.param


@pytest.fixture(params=COMMANDED)
def commanded(request) -> str:
    return request.param


def done(machine: Machine, name: str) -> subprocess.CompletedProcess[str]:
    """Return a command that ended well."""
    found = machine.commands[name]
    assert found.returncode == 0, f"{found.stdout}\n{found.stderr}"
    return found


@pytest.mark.parametrize("name", CPUS)
def test_every_cpu_is_what_it_is_called(machines, name):
    found, cpu = machines[name].answers, CPUS[name]
    assert (found.cpu, found.emulated, found.told, found.offered) == (cpu.core, True, cpu.sets, cpu.sets)


def test_every_artifact_answers_on_every_cpu_as_recorded_and_as_on_any_other(answers, given):
    wrong = page.disagreements(given, answers)
    assert not wrong, "\n".join(wrong)


def test_the_page_is_of_these_artifacts_and_these_figures(answers, given):
    text = page.PAGE.read_text()
    old = page.stale(text) or page.changes(page.parse(text), page.rows(given, answers))
    assert not old, "\n".join([*old, page.RENEW])


def test_an_inference_costs_the_instructions_of_the_page(machines, device):
    found = machines[device].answers
    listed = cost.parse(cost.PAGE.read_text())[device]
    old = cost.changes(listed, found.instructions)
    assert not old, "\n".join([*old, page.RENEW])


def test_the_edge_part_of_the_tests_passes(machines, device):
    counts = done(machines[device], "tests").stdout.splitlines()[-1]
    assert re.match(edge_tests.PASSED, counts), counts


def test_the_doctor_finds_nothing_to_mend(machines, commanded):
    document = json.loads(done(machines[commanded], "doctor").stdout)
    states = {part["name"]: part["state"] for part in document["parts"]}
    # The kernels of microcontrollers have wheels for x86-64 alone.
    tflm = "absent" if commanded in DEVICES else "ok"
    parts = {"numpy": "ok", "pillow": "ok", "litert": "ok", "onnxruntime": "ok", "keras": "absent", "tflm": tflm}
    assert states == parts
    assert (document["host"]["emulated"], document["host"]["cpu"]) == (True, CPUS[commanded].core)


def test_every_shipped_artifact_passes_by_golden(machines):
    document = json.loads(done(machines[DEVICE], "verify").stdout)
    assert {result["verdict"] for result in document["results"]} == {"pass"}
    assert [result["n"] for result in document["results"]] == [count for count in VERIFIED.values() for _ in range(6)]


def test_a_bundle_classifies_like_the_machine_that_exported_it(machines):
    for name in BUNDLED:
        said = done(machines[DEVICE], name).stdout
        assert said == f"{name}: 500 of 500 predictions are those of the machine that exported it\n"


def test_a_benchmark_says_that_it_is_emulated_and_gives_no_latency(machines, commanded):
    machine = machines[commanded]
    shown = done(machine, "bench")
    assert "warning: 2 of 2 rows: emulated: it ran once, and no latency is given" in shown.stderr
    assert re.findall(r"\d (?:s|ms|µs|ns)\b", shown.stdout) == []
    (record,) = machine.folder.glob(f"benchmarks/*/{RECORD}")
    document = json.loads(record.read_text())
    assert (document["host"]["emulated"], document["host"]["cpu"]) == (True, CPUS[commanded].core)
    assert len(document["results"]) == 2
    assert {result[figure] for result in document["results"] for figure in FIGURES} == {None}
