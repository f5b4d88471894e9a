"""Write docs/cpus.md and docs/arm64-cost.md anew: python -m tests.cpus.pages."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cpus import cost, guests, page
from tests.cpus.answers import EXPORTED, ask, ask_here
from tests.cpus.shorten import shorten
from tests.cpus.table import CPUS, DEVICES, IMAGES, NATIVE

# Emulated CPUs side by side.
JOBS = 2


def emulator_version() -> str:
    """Return the version of qemu-user: the third word of what it says."""
    emulator = next(iter(CPUS.values())).emulator
    return subprocess.run([emulator, "--version"], check=True, capture_output=True, text=True).stdout.split()[2]


def main() -> None:
    """Ask all CPUs; write both pages unless an artifact answers otherwise than it may."""
    pythons = guests.build_or_exit()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(JOBS) as pool:
        folder = Path(scratch)
        exported = shorten(EXPORTED, folder / "exported", IMAGES)
        asked = {
            name: pool.submit(ask, name, python, exported, folder / f"{name}.npz", counted=name in DEVICES)
            for name, python in pythons.items()
        }
        answers = {name: future.result() for name, future in asked.items()}
        answers[NATIVE] = ask_here(exported, folder / "native.npz")
        text = page.render(page.rows(exported, answers), answers[NATIVE], emulator_version())
        wrong = page.disagreements(exported, answers)
    print(text, end="")
    if wrong:
        sys.exit("\n".join(["", *wrong, f"{page.PAGE.name} is not written: the artifacts do not answer as they must"]))
    counts = {name: answers[name].instructions for name in DEVICES}
    page.PAGE.write_text(text)
    cost.PAGE.write_text(cost.render(counts))
    print("\n" + cost.PAGE.read_text(), end="")


if __name__ == "__main__":
    main()
