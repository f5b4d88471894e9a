"""Guest instructions per inference of every shipped artifact on the CPUs of userspace.CPUS, and the page they are on.

python -m tests.cpus.cost    writes docs/arm64-cost.md anew
"""

import json
import re
import statistics
import subprocess
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cpus import userspace
from tests.cpus.inside import INFERENCES
from tests.cpus.shorten import shorten
from tests.cpus.userspace import CPUS, ROOT, Userspace
from toolkit import runtimes

EXPORTED = ROOT / "exported"
PAGE = ROOT / "docs" / "arm64-cost.md"
SOURCE = Path(__file__).with_name("icount.c")
# Share by which a figure may move before somebody has to look: the figures of one artifact repeat to a thousandth.
TOLERANCE = 0.02
INTRODUCTION = """\
# Instructions per inference on arm64

`make arm64-cost` writes this page; `make test-arm64` fails where a figure is more than 2 % off. **These are
instructions, not times**: counted by qemu-user, which runs the wheels that a Raspberry Pi installs and offers the
instruction sets of its cores, but knows nothing of their clocks, caches and pipelines. They show when a model, a
converter or a runtime has become dearer, and which kernels run: a Cortex-A76 has dot products of int8, a Cortex-A72
has not.

One image, one thread, the runtime's own call (`Session.native_invoke`) without input and output; the median of five
after five others. The versions are those of `constraints.txt`.

"""
COLUMNS = ("artifact", "runtime", *(f"{cpu} (Raspberry Pi {pi})" for cpu, pi in zip(CPUS, (4, 5), strict=True)))
_ROW = re.compile(r"^\| `(?P<artifact>\S+)` \| \S+ \| (?P<counts>[\d, |]+) \|$", re.MULTILINE)


def plugin(folder: Path) -> Path:
    """Compile the plugin that counts."""
    library = folder / "libicount.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True)
    return library


def measure(guest: Userspace, cpu: str, exported: Path, outputs: Path, *, library: Path) -> dict[str, int]:
    """Return the instructions of one inference by artifact, and write the outputs for the images of golden.npz."""
    command = [guest.python, "-m", "tests.cpus.inside", exported, outputs]
    # The same hashes in every process: the order of sets and dicts decides what Python and the runtimes execute.
    environment = userspace.environment(cpu, QEMU_PLUGIN=str(library), PYTHONHASHSEED="0")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{cpu}: tests.cpus.inside ended with {done.returncode}: {done.stderr}")
    return instructions(json.loads(done.stdout), done.stderr)


def instructions(artifacts: list[str], marks: str) -> dict[str, int]:
    """Return the instructions of one inference by artifact, less those of calling nothing."""
    found = [tuple(map(int, mark)) for mark in re.findall(r"^mark (\d+) (\d+)$", marks, re.MULTILINE)]
    spans = [(number, after - before) for (number, before), (_, after) in zip(found[::2], found[1::2], strict=True)]
    if len(spans) != 2 * INFERENCES * len(artifacts):
        raise RuntimeError(f"{len(spans)} counts for {len(artifacts)} artifacts; does qemu load the plugin?")
    counts = {}
    for position, artifact in enumerate(artifacts):
        of_this = defaultdict(list)
        for number, span in spans[2 * INFERENCES * position : 2 * INFERENCES * (position + 1)]:
            of_this[number].append(span)
        counts[artifact] = int(statistics.median(of_this[1]) - statistics.median(of_this[0]))
    return counts


def render(counts: dict[str, dict[str, int]]) -> str:
    """Return the page. counts: by CPU, then by artifact."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- | --- |{' ---: |' * len(CPUS)}"]
    for artifact in counts[next(iter(CPUS))]:
        figures = " | ".join(f"{counts[cpu][artifact]:,}" for cpu in CPUS)
        lines.append(f"| `{artifact}` | {runtimes.for_file(Path(artifact))} | {figures} |")
    return INTRODUCTION + "\n".join(lines) + "\n"


def parse(page: str) -> dict[str, dict[str, int]]:
    """Return what ``render`` was given."""
    counts: dict[str, dict[str, int]] = {cpu: {} for cpu in CPUS}
    for row in _ROW.finditer(page):
        for cpu, figure in zip(CPUS, row["counts"].split("|"), strict=True):
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


def main() -> None:
    """Measure on all CPUs, side by side, and write the page."""
    guest = userspace.build_or_exit()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(len(CPUS)) as pool:
        library = plugin(Path(scratch))
        exported = shorten(EXPORTED, Path(scratch) / "exported", {})
        outputs = {cpu: Path(scratch) / f"{cpu}.npz" for cpu in CPUS}
        counts = pool.map(lambda cpu: measure(guest, cpu, exported, outputs[cpu], library=library), CPUS)
        PAGE.write_text(render(dict(zip(CPUS, counts, strict=True))))
    print(PAGE.read_text(), end="")


if __name__ == "__main__":
    main()
