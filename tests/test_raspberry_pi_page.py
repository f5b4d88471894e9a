"""docs/raspberry-pi.md: each line of its shell blocks, in one shell, beside a checkout.

Only ``bench`` and ``pip`` are shortened.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pages import DOCS, blocks
from toolkit import manifest

ROOT = Path(__file__).parents[1]
PAGE = DOCS / "raspberry-pi.md"
STATUS = DOCS / "status.md"
CHECKOUT = ("LICENSE", "Makefile", "README.md", "constraints.txt", "hatch_build.py", "pyproject.toml", "toolkit")
SHIPPED, ARTIFACT = "exported/cnn", "cnn-int8.tflite"
# What the lines mean that need root: they are noted, and tested on their own.
SUDO = '#!/bin/sh\necho "$@" >> "$HOME/sudo.txt"\n'
# Whether two benchmarks of a busy machine differ is not the question here.
COMPARED = re.compile(r"^(toolkit record compare .*)$", re.MULTILINE)
# Nor are their figures: one process of each is enough, and a moment of it; so it is for that of `make edge`.
BENCHED = re.compile(r"^(\t\$\(EDGE\)/bin/)?toolkit bench\b", re.MULTILINE)
QUICKLY = r"\1toolkit bench --processes 1 --seconds 0.05"
# The packages that toolkit needs are those that `make edge` has installed the line before: once is enough.
BY_HAND = re.compile(r"^\.venv/bin/pip install\b", re.MULTILINE)
WITHOUT_THE_SAME_AGAIN = ".venv/bin/pip install --no-deps"

pytestmark = pytest.mark.slow


def lines():
    return "".join(blocks(PAGE, "sh"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout that ships one artifact, so that benchmarks are short."""
    folder = tmp_path_factory.mktemp("device") / "toolkit"
    folder.mkdir()
    for name in CHECKOUT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    script, benched = BENCHED.subn(QUICKLY, (folder / "Makefile").read_text())
    assert benched == 1
    (folder / "Makefile").write_text(script)
    shutil.copytree(ROOT / SHIPPED, folder / SHIPPED)
    found = manifest.read(folder / SHIPPED)
    replace(found, artifacts=tuple(entry for entry in found.artifacts if entry.path == ARTIFACT)).write()
    return folder


@pytest.fixture(scope="module")
def followed(checkout):
    """What came of the whole page; each line is printed before it runs."""
    home = checkout.parent
    commands = home / "bin"
    commands.mkdir()
    (commands / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    (commands / "sudo").write_text(SUDO)
    (commands / "sudo").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "PROXY" in name}
    environment |= {"HOME": str(home), "PATH": f"{commands}:/usr/bin:/bin", "LANG": "C.UTF-8"}
    environment["PIP_NO_COMPILE"] = "yes"  # Python does it for what is imported
    script, compared = COMPARED.subn(r"\1 || test $? = 1", lines())
    script, benched = BENCHED.subn(QUICKLY, script)
    script, by_hand = BY_HAND.subn(WITHOUT_THE_SAME_AGAIN, script)
    assert (compared, benched, by_hand) == (1, 4, 1)
    return subprocess.run(
        ["bash", "-evc", script], cwd=home, env=environment, capture_output=True, text=True, check=False
    )


def test_every_line_of_the_page_runs(followed, checkout):
    assert followed.returncode == 0, followed.stdout[-3000:] + followed.stderr[-3000:]
    said = followed.stdout
    assert said.startswith("64\n")
    assert said.count("verdict: pass") == 2
    assert said.count("ship: ") == 5
    assert len(list(checkout.glob("before/*/record.json"))) == len(list(checkout.glob("after/*/record.json"))) == 1
    assert (checkout / ".venv" / "bin" / "toolkit").is_file()
    assert re.search(r"^cnn-int8\.tflite: (\d+) of \1 predictions are those of the machine", said, re.MULTILINE)


def test_what_needs_root_is_the_system_s_packages_and_the_governor(followed, checkout):
    assert (checkout.parent / "sudo.txt").read_text().splitlines() == [
        "apt update",
        "apt install -y python3-venv make git",
        "apt install -y linux-cpupower",
        "cpupower frequency-set --governor performance",
    ]


def test_what_was_not_checked_is_said():
    assert (
        "[The status table](status.md) lists what was not confirmed"
        in PAGE.read_text().partition("## What was checked")[2]
    )
    not_confirmed = [line.split(" | ")[0] for line in STATUS.read_text().splitlines() if line.startswith("| ")]
    assert "| Python 3.13 on Arm (Raspberry Pi OS Trixie)" in not_confirmed
    assert "| a Cortex-A53 (Pi 3, Zero 2 W), except for the models' answers" in not_confirmed
    assert "| any Raspberry Pi: latency, clock, temperature, throttle bits" in not_confirmed


@pytest.mark.skipif(not list(Path("/var/lib/apt/lists").glob("*Packages*")), reason="no list of Debian's packages")
def test_the_packages_that_the_raspberry_pi_page_installs_exist():
    names = " ".join(re.findall(r"^sudo apt install -y (.*)$", lines(), re.MULTILINE)).split()
    subprocess.run(["apt-get", "--simulate", "install", *names], check=True, capture_output=True)
