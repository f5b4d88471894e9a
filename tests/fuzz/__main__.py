"""Damage files of every kind, give them to what reads them, and say what came of it: ``make fuzz``.

Nothing may happen but that a file is read, or refused in one line: no other exception, no signal, no hang, no more
memory than is allowed. The same seed gives the same inputs.
"""

import argparse
import json
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import robustness
from tests.fuzz.child import READ, REFUSED, corpus, slug
from tests.fuzz.targets import targets
from tests.robustness import as_table
from toolkit import host

INPUTS, SEED, JOBS = 10_000, 0, 2
# Seconds without an answer after which a target hangs: importing TensorFlow on a busy machine takes less.
SILENCE_S = 300.0
DIED, HUNG = "died", "hung"
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.fuzz.child")
# Where an input is kept that did what nothing may; it belongs into corpus/ once that is mended.
KEPT = ROOT / "fuzz-failures"


@dataclass
class Tally:
    """What came of the inputs of one target. failures: what happened, and the file that holds the input."""

    target: str
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, Path | None]] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """How many there were."""
        return self.outcomes.total()


def fuzz(name: str, count: int, number: int) -> Tally:
    """Give ``count`` inputs to a target, in as many processes as die of it and one."""
    tally = Tally(name)
    while (left := count + len(corpus(name)) - tally.inputs) > 0:
        before = tally.inputs
        with tempfile.TemporaryDirectory() as scratch:
            _watch(tally, left, number, Path(scratch))
        if tally.inputs == before:
            break
        number += 1  # after a death other inputs, not the same to the same death
    return tally


def _watch(tally: Tally, count: int, number: int, scratch: Path) -> None:
    """Start a process and count what it tells, until it ends."""
    command = [*COMMAND, tally.target, str(count), str(number), str(scratch / "work")]
    with (scratch / "stderr").open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, cwd=ROOT, bufsize=0)
    with process, process.stdout as answers:
        while ready := select.select([answers], [], [], SILENCE_S)[0]:
            line = answers.readline()
            if not line:
                break
            _note(tally, json.loads(line), scratch)
        if not ready:
            process.kill()
    if not ready:
        _note(tally, {"bad": HUNG, "message": f"no answer for {SILENCE_S:.0f} s"}, scratch)
    elif process.returncode:
        said = (scratch / "stderr").read_text(errors="replace").strip().splitlines()
        _note(tally, {"bad": DIED, "message": f"exit code {process.returncode}: {said[-1] if said else ''}"}, scratch)


def _note(tally: Tally, told: dict[str, Any], scratch: Path) -> None:
    if "bad" not in told:
        tally.outcomes[told["outcome"]] += 1
        return
    tally.outcomes[told["bad"]] += 1
    kept = next(iter((scratch / "work").glob("input*")), None)
    if kept is not None:
        KEPT.mkdir(exist_ok=True)
        kept = KEPT / f"{slug(tally.target)}-{len(tally.failures)}{kept.suffix}"
        shutil.copyfile(next((scratch / "work").glob("input*")), kept)
    tally.failures.append((f"{told['bad']}: {told['message']}", kept))


def table(tallies: list[Tally]) -> str:
    """Return what came of it as a table of Markdown."""
    kinds = [READ, REFUSED, *sorted({kind for tally in tallies for kind in tally.outcomes} - {READ, REFUSED})]
    total = Tally("all", outcomes=sum((tally.outcomes for tally in tallies), Counter()))
    rows = [
        (tally.target, f"{tally.inputs:,}", *(f"{tally.outcomes[kind]:,}" for kind in kinds))
        for tally in (*tallies, total)
    ]
    return as_table(("kind of file, or verb", "inputs", *kinds), rows)


def main() -> int:
    """Print a table, and keep it in the docs where all of it was asked for; 1 where something happened that may not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=INPUTS, help="how many, of all targets together")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    every = targets()
    share = asked.inputs / sum(target.inputs for target in every.values())
    began = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        counts = {name: max(1, round(target.inputs * share)) for name, target in every.items()}
        tallies = list(pool.map(lambda name: fuzz(name, counts[name], asked.seed), counts))
    seconds = time.monotonic() - began
    failures = [f"{tally.target}: {what} ({kept})" for tally in tallies for what, kept in tally.failures]
    inputs = sum(tally.inputs for tally in tallies)
    machine = host.describe()
    summary = (
        f"{inputs:,} inputs in {seconds:.0f} s (seed {asked.seed}), {len(failures)} of them bad; {machine.cpu}, "
        f"{machine.cores} cores."
    )
    text = f"{table(tallies)}\n\n{summary}"
    print(text, *failures, sep="\n")
    if asked.inputs == INPUTS:
        robustness.write("make fuzz", text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
