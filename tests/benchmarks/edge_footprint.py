"""What the edge install takes: megabytes on the disk for each extra, and of memory for `toolkit verify --golden`.

The size is that of all that pip puts into an empty environment, apparent sizes added up, and of the .pyc files that
Python adds when doctor and verify run for the first time. pip itself stays outside. The memory is the peak of the
resident set of a process that verifies one artifact, and of one that verifies all; pages of libraries are part of it.
It is that after a restart: of a library that was written just now Linux counts more pages, which it has in its cache.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

EXTRAS = ("edge", "litert", "onnx", "serve")
MODELS = Path("exported")
LARGEST = 8
QUIET = ("--quiet", "--disable-pip-version-check", "--no-compile", "--constraint", "constraints.txt")


def size_bytes(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def megabytes(count):
    return f"{count / 1e6:6.1f} MB"


def install(folder, wheel, extra):
    """Make an environment without pip, and install the wheel with the extra into it."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", *QUIET]
    subprocess.run([*pip, f"{wheel}[{extra}]"], check=True)
    return python


def peak_bytes(command):
    """Run a command to its end; return the peak of its resident set."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {process.returncode}: {said}")
    return usage.ru_maxrss * 1024


def forget(folder):
    """Have the system write the files of a folder and drop them from its cache, as a restart does."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def report_size(extra, packages, python):
    installed = size_bytes(packages)
    peak_bytes([python.with_name("toolkit"), "doctor"])
    peak_bytes([python.with_name("toolkit"), "verify", "--golden"])
    added = size_bytes(packages) - installed
    print(f"[{extra}]: {megabytes(installed)} installed, {megabytes(added)} of .pyc files after the first run")
    parts = {path.name: size_bytes(path) if path.is_dir() else path.stat().st_size for path in packages.iterdir()}
    for name in sorted(parts, key=parts.get, reverse=True)[:LARGEST]:
        print(f"  {megabytes(parts[name])}  {name}")


def artifacts():
    for path in sorted(MODELS.glob("*/manifest.json")):
        yield from (path.parent / artifact["path"] for artifact in json.loads(path.read_text())["artifacts"])


def main():
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        for extra in EXTRAS:
            python = install(Path(scratch) / extra, wheel, extra)
            (packages,) = (python.parents[1] / "lib").glob("python*/site-packages")
            report_size(extra, packages, python)
        python = Path(scratch) / EXTRAS[0] / "bin" / "python"
        forget(python.parents[1])
        for path in (*artifacts(), MODELS):
            peak = peak_bytes([python.with_name("toolkit"), "verify", "--golden", path])
            print(f"verify --golden {path}: peak {megabytes(peak)}")


if __name__ == "__main__":
    main()
