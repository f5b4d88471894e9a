"""docs/cpus.md: how far the outputs of every shipped artifact are from those that were recorded, on every CPU."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from tests.cpus.agreement import REQUIRED, REQUIRED_STEPS, RULES, flips, problems
from tests.cpus.answers import EXPORTED, Answers
from tests.cpus.table import CPUS, IMAGES, NATIVE
from tests.cpus.userspace import ROOT
from toolkit import golden, manifest, runtimes
from toolkit.manifest import Artifact

PAGE = ROOT / "docs" / "cpus.md"
RENEW = "if this is meant: make cpus, and commit the pages"
COLUMNS = (*CPUS, NATIVE, "any two")
# Digits of a digest that the page shows.
SHOWN = 12
# What an emulated figure may differ by from that of the page: half of the last digit that is shown, and the last two
# bits of a float32 probability.
ROUNDING, LAST_BITS = 0.05, 4 * 2.0**-23
INTRODUCTION = """\
# The same answer on every CPU

This page shows that every shipped artifact gives the same answer on six kinds of CPU. `make cpus` writes it, and
`make test-cpus`, which CI runs, does the same again and compares. Every artifact classified images of its `golden.npz`
on every CPU below, evenly spread: {images}.

{cpus}

All but the last were emulated by qemu-user {emulator}: the x86-64 ones run the packages of this checkout's environment,
the Arm ones the wheels that a Raspberry Pi installs, and all the versions are those of `constraints.txt`. qemu emulates
neither AVX-512 nor VNNI nor AMX. What kernels with these compute is proven only by machines that have them: the one
above, if it lists them, and the one that CI runs on, which may be either kind.

## What came out

A cell has the largest difference of a probability from the one in `golden.npz`, which was recorded where the artifact
was exported, and the number of images that are put into another class. The last column has the largest of both between
any two CPUs. **Required** are 0 images in another class, at most one step of an int8 output (`*-int8.tflite`; a step is
1/256, 3.9e-03), and at most {required:g} for float32 outputs. `make test-cpus` also holds finer bounds, of
`tests/cpus/agreement.py`.

"""
_ROW = re.compile(r"^\| `(?P<artifact>\S+)` \| `(?P<sha256>\w+)` \| (?P<images>\d+) \| (?P<cells>.*) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """The largest difference of a probability, and the images that are put into another class."""

    difference: float
    flips: int

    def __str__(self) -> str:
        return f"{self.difference:.1e}, {self.flips}" if self.difference else f"0, {self.flips}"


@dataclass(frozen=True)
class Row:
    """One artifact. cells: by CPU against what was recorded, and the largest of those between any two CPUs."""

    artifact: str
    sha256: str
    images: int
    cells: Mapping[str, Cell]


def shipped(exported: Path) -> dict[str, tuple[Artifact, np.ndarray]]:
    """Return every artifact below a folder, by name, with the outputs that its golden.npz has of it."""
    found = {}
    for listing in sorted(exported.glob(f"*/{manifest.MANIFEST}")):
        of_model = manifest.read(listing.parent)
        recorded = golden.read(of_model.golden_path).recorded
        found |= {artifact.path: (artifact, recorded[artifact.path]) for artifact in of_model.artifacts}
    return found


def rows(exported: Path, answers: Mapping[str, Answers]) -> list[Row]:
    """Return the page's rows of what came out, by CPU."""
    found = []
    for name, (artifact, recorded) in shipped(exported).items():
        outputs = {cpu: one.outputs[name] for cpu, one in answers.items()}
        cells = {cpu: _cell(mine, recorded) for cpu, mine in outputs.items()}
        pairs = [_cell(one, other) for one, other in combinations(outputs.values(), 2)]
        widest = Cell(max(pair.difference for pair in pairs), max(pair.flips for pair in pairs))
        found.append(Row(name, artifact.sha256[:SHOWN], len(recorded), {**cells, COLUMNS[-1]: widest}))
    return found


def disagreements(exported: Path, answers: Mapping[str, Answers]) -> list[str]:
    """Return where an artifact answers otherwise than it may, on any CPU."""
    found = []
    for name, (artifact, recorded) in shipped(exported).items():
        outputs = {cpu: one.outputs[name] for cpu, one in answers.items()}
        rule = RULES[runtimes.for_file(Path(name)), artifact.quantization]
        wrong = problems(outputs, recorded, rule, step=artifact.outputs[0].scale)
        found += [f"{name}: {problem}" for problem in wrong]
    return found


def _cell(one: np.ndarray, other: np.ndarray) -> Cell:
    return Cell(float(np.abs(one - other).max()), flips(one, other))


def render(found: list[Row], here: Answers, emulator: str) -> str:
    """Return the page. here: of this machine. emulator: the version of qemu-user."""
    lines = [
        f"| artifact | SHA-256 | images | {' | '.join(COLUMNS)} |",
        f"| --- | --- | ---: |{' ---: |' * len(COLUMNS)}",
    ]
    for row in found:
        cells = " | ".join(str(row.cells[column]) for column in COLUMNS)
        lines.append(f"| `{row.artifact}` | `{row.sha256}` | {row.images} | {cells} |")
    return _introduction(here, emulator) + "\n".join(lines) + "\n"


def _introduction(here: Answers, emulator: str) -> str:
    images = ", ".join(f"{count} of `exported/{model}`" for model, count in IMAGES.items())
    lines = [
        "| CPU | found in | instruction sets that choose kernels |",
        "| --- | --- | --- |",
        *(f"| {name} | {cpu.found_in} | {_listed(cpu.sets)} |" for name, cpu in CPUS.items()),
        f"| {NATIVE} | the machine that wrote this page: {here.cpu} | {_listed(here.told)} |",
    ]
    return INTRODUCTION.format(images=images, cpus="\n".join(lines), emulator=emulator, required=REQUIRED)


def _listed(sets: frozenset[str]) -> str:
    return ", ".join(sorted(sets)) or "none"


def parse(page: str) -> list[Row]:
    """Return the rows that ``render`` was given, their figures rounded."""
    found = []
    for row in _ROW.finditer(page):
        cells = {}
        for column, text in zip(COLUMNS, row["cells"].split(" | "), strict=True):
            difference, changed = text.split(", ")
            cells[column] = Cell(float(difference), int(changed))
        found.append(Row(row["artifact"], row["sha256"], int(row["images"]), cells))
    return found


def stale(page: str) -> list[str]:
    """Return what a page says that is not of the shipped artifacts and the CPUs, or breaks what is required."""
    if f" | {' | '.join(COLUMNS)} |\n" not in page:
        return [f"it has other CPUs than {', '.join(COLUMNS[:-1])}"]
    listed = {row.artifact: row for row in parse(page)}
    artifacts = {name: artifact for name, (artifact, _) in shipped(EXPORTED).items()}
    found = [f"{name}: only on one side" for name in sorted(listed.keys() ^ artifacts.keys())]
    for name in sorted(listed.keys() & artifacts.keys()):
        row, artifact = listed[name], artifacts[name]
        if row.sha256 != artifact.sha256[:SHOWN]:
            found.append(f"{name}: the page is of another file ({row.sha256}; shipped is {artifact.sha256[:SHOWN]})")
        broken = [column for column in COLUMNS if _breaks(row.cells[column], artifact)]
        found += [f"{name}: {column}: {row.cells[column]} breaks what is required" for column in broken]
    return found


def _breaks(cell: Cell, artifact: Artifact) -> bool:
    """Say whether a cell breaks what is required."""
    step = artifact.outputs[0].scale
    too_far = round(cell.difference / step) > REQUIRED_STEPS if step else cell.difference > REQUIRED
    return bool(cell.flips) or too_far


def changes(listed: list[Row], measured: list[Row]) -> list[str]:
    """Return what emulated CPUs now give that the page does not say; what this machine gives is its own."""
    found = []
    by_name = {row.artifact: row for row in listed}
    for row in measured:
        for cpu in CPUS:
            before, now = by_name[row.artifact].cells[cpu], row.cells[cpu]
            moved = abs(before.difference - now.difference) > ROUNDING * now.difference + LAST_BITS
            if moved or before.flips != now.flips:
                found.append(f"{row.artifact}: {cpu}: {before} on the page, now {now}")
    return found
