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
from toolkit.bench.instructions import qemu

EXPORTED = ROOT / "exported"


@dataclass(frozen=True)
class Answers:
    """What came out on one CPU.

    cpu, emulated: as toolkit describes it. told: the instruction sets that the system's files tell of; offered: those
    that the CPU itself does. outputs: by artifact, (N, classes), for the images of golden.npz. instructions: of one
    inference of each artifact, where they were counted.
    """

    cpu: str
    emulated: bool
    told: frozenset[str]
    offered: frozenset[str]
    outputs: dict[str, np.ndarray]
    instructions: dict[str, int]


def ask(name: str, python: Path, exported: Path, target: Path, *, counted: bool = False) -> Answers:
    """Run every artifact below a folder on a CPU of the table, by its Python.

    target: a file for the outputs. counted: whether to count instructions.
    """
    command = [python, "-m", "tests.cpus.inside", exported, target]
    variables = dict(os.environ) if name == NATIVE else environment(name)
    if counted:
        count = target.with_suffix(".count")
        command.append(count)
        variables |= qemu.variables(count)
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: tests.cpus.inside ended with {done.returncode}: {done.stderr}")
    said = json.loads(done.stdout)
    with np.load(target) as arrays:
        outputs = {artifact: arrays[artifact] for artifact in said["artifacts"]}
    sets = {field: frozenset(said[field]) for field in ("told", "offered")}
    return Answers(
        cpu=said["cpu"], emulated=said["emulated"], outputs=outputs, instructions=said["instructions"], **sets
    )


def ask_here(exported: Path, target: Path) -> Answers:
    """Run them on the CPU of this machine."""
    return ask(NATIVE, Path(sys.executable), exported, target)
