"""Other x86-64 CPUs than this machine's: the Python and the packages of this checkout's environment, under qemu-user.

The Python of such an environment is a script that starts qemu, so whatever starts Python by its path, a worker process
included, is emulated as well. Like a device, it has no TensorFlow: that needs AVX, and takes a minute to be imported.
"""

import shlex
import shutil
import sys
from pathlib import Path

from tests.cpus import table
from toolkit.bench.instructions.qemu import HOST_ONLY
from toolkit.files import atomic

CPUS = table.of("x86_64")
# Beginnings of names in site-packages.
LEFT_OUT = ("tensorflow", "keras")
# -0: Python finds its virtual environment by the path that it was started by. check=off: qemu would tell at each start
# which instructions it lacks of those that the CPU has; that those of the table are there is tested.
PYTHON = """\
#!/bin/sh
unset {unset}
exec {qemu} -cpu {name},check=off -L {root} -0 "$0" {python} "$@"
"""


def build() -> dict[str, Path]:
    """Lay an environment for each CPU into this one's folder, and return their Pythons."""
    return {name: _build(name, Path(sys.prefix) / "cpus" / name) for name in CPUS}


def _build(name: str, folder: Path) -> Path:
    cpu, root, python = CPUS[name], folder / "root", folder / "bin" / "python"
    # qemu shows the host's, by which runtimes would take its kernels.
    _write(root / "proc" / "cpuinfo", cpu.cpuinfo_text())
    _write(folder / "pyvenv.cfg", (Path(sys.prefix) / "pyvenv.cfg").read_text())
    _link_packages(folder)
    real = Path(sys.executable).resolve()
    places = {"root": shlex.quote(str(root)), "python": shlex.quote(str(real))}
    _write(python, PYTHON.format(unset=" ".join(HOST_ONLY), qemu=cpu.emulator, name=name, **places))
    python.chmod(0o755)
    return python


def _link_packages(folder: Path) -> None:
    packages = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
    wanted = {package.name for package in packages.iterdir() if not package.name.startswith(LEFT_OUT)}
    links = folder / packages.relative_to(sys.prefix)
    if links.is_dir() and wanted == {link.name for link in links.iterdir()}:
        return
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    for name in wanted:
        (links / name).symlink_to(packages / name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_text(text)
