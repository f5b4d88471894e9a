"""What every artifact answers on one CPU, asked in one process of it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.cpus.table import NATIVE
from tests.cpus.userspace import ROOT, environment

EXPORTED = ROOT / "exported"


@dataclass(frozen=True)
class Answers:
    """What came out on one CPU.

    cpu, emulated: as toolkit describes it. told: the instruction sets that the system's files tell of; offered: those
    that the CPU itself does. outputs: by artifact, (N, classes), for the images of golden.npz. marks: what the plugin
    of icount.c wrote.
    """

    cpu: str
    emulated: bool
    told: frozenset[str]
    offered: frozenset[str]
    outputs: dict[str, np.ndarray]
    marks: str


def ask(name: str, python: Path, exported: Path, target: Path, *, plugin: Path | None = None) -> Answers:
    """Run every artifact below a folder on a CPU of the table, by its Python; target: a file for the outputs."""
    command = [python, "-m", "tests.cpus.inside", exported, target]
    done = subprocess.run(command, cwd=ROOT, env=_environment(name, plugin), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: tests.cpus.inside ended with {done.returncode}: {done.stderr}")
    said = json.loads(done.stdout)
    with np.load(target) as arrays:
        outputs = {artifact: arrays[artifact] for artifact in said["artifacts"]}
    sets = {field: frozenset(said[field]) for field in ("told", "offered")}
    return Answers(cpu=said["cpu"], emulated=said["emulated"], outputs=outputs, marks=done.stderr, **sets)


def ask_here(exported: Path, target: Path) -> Answers:
    """Run them on the CPU of this machine."""
    return ask(NATIVE, Path(sys.executable), exported, target)


def _environment(name: str, plugin: Path | None) -> dict[str, str]:
    if name == NATIVE:
        return dict(os.environ)
    # The same hashes in every process: the order of sets and dicts decides what Python and the runtimes execute.
    counting = {"QEMU_PLUGIN": str(plugin), "PYTHONHASHSEED": "0"} if plugin else {}
    return environment(name, **counting)
