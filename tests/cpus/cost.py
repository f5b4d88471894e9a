"""docs/arm64-cost.md: guest instructions per inference of every shipped artifact on the devices of the table."""

import re
from pathlib import Path

from tests.cpus.table import DEVICES
from tests.cpus.userspace import ROOT
from toolkit import runtimes

PAGE = ROOT / "docs" / "arm64-cost.md"
# Share by which a figure may move before somebody has to look: the figures of one artifact repeat to a thousandth.
TOLERANCE = 0.02
INTRODUCTION = """\
# Instructions per inference on arm64

This page counts the instructions that one inference takes on the cores of a Raspberry Pi 4 and 5. `make cpus` writes
it; `make test-cpus` fails if a figure is more than 2 % off. **These are instructions, not times**: counted by
qemu-user, which runs the wheels that a Raspberry Pi installs and offers the instruction sets of its cores, but knows
nothing of their clocks, caches and pipelines. They show when a model, a converter or a runtime has become dearer, and
which kernels run: a Cortex-A76 has dot products of int8, a Cortex-A72 has not.

One image, one thread, the runtime's own call (`Session.native_invoke`) without input and output; the median of five
after twenty others. The versions are those of `constraints.txt`.

"""
COLUMNS = ("artifact", "runtime", *(f"{name} ({cpu.found_in})" for name, cpu in DEVICES.items()))
_ROW = re.compile(r"^\| `(?P<artifact>\S+)` \| \S+ \| (?P<counts>[\d, |]+) \|$", re.MULTILINE)


def render(counts: dict[str, dict[str, int]]) -> str:
    """Return the page. counts: by CPU, then by artifact."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- | --- |{' ---: |' * len(DEVICES)}"]
    for artifact in counts[next(iter(DEVICES))]:
        figures = " | ".join(f"{counts[cpu][artifact]:,}" for cpu in DEVICES)
        lines.append(f"| `{artifact}` | {runtimes.for_file(Path(artifact))} | {figures} |")
    return INTRODUCTION + "\n".join(lines) + "\n"


def parse(page: str) -> dict[str, dict[str, int]]:
    """Return what ``render`` was given."""
    counts: dict[str, dict[str, int]] = {cpu: {} for cpu in DEVICES}
    for row in _ROW.finditer(page):
        for cpu, figure in zip(DEVICES, row["counts"].split("|"), strict=True):
            counts[cpu][row["artifact"]] = int(figure.replace(",", ""))
    return counts


def changes(listed: dict[str, int], measured: dict[str, int]) -> list[str]:
    """Return what is not on the page, or off by more than the tolerance."""
    found = [f"{name}: only on one side" for name in sorted(listed.keys() ^ measured.keys())]
    for name in sorted(listed.keys() & measured.keys()):
        change = measured[name] / listed[name] - 1
        if abs(change) > TOLERANCE:
            found.append(f"{name}: {listed[name]:,} instructions on the page, now {measured[name]:,} ({change:+.1%})")
    return found
