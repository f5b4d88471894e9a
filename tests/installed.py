"""The project as `make dist` builds it, installed into environments of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(target, folder):
    """Build a wheel or a source archive into a folder, and return it."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.iterdir()
    return built


def install(folder, wheel, extra, *others, python=sys.executable):
    """Make an empty environment with the wheel, an extra and other packages; return its toolkit."""
    subprocess.run([python, "-m", "venv", "--without-pip", "--symlinks", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--no-compile", "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, f"{wheel}[{extra}]", *others], check=True)
    return folder / "bin" / "toolkit"
