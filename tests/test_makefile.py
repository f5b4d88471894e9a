"""How the Makefile makes a virtual environment, from which everything else follows."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A Python that says it is an older one.
OLDER = """#!/bin/sh
[ "$1" = -c ] || exit 99
exec {python} -c "import sys; sys.version_info = (3, 10, 12); exec(sys.argv[1])" "$2"
"""


def environment(folder, python):
    """Have make make the environment of a folder as its targets do."""
    rule = f"made: ; @$(call environment,{folder})"
    command = ["make", "--file", ROOT / "Makefile", f"--eval={rule}", "made", f"PYTHON={python}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent)


@pytest.mark.slow
def test_an_environment_that_was_left_without_pip_is_completed(tmp_path):
    """As Debian's Python leaves it where python3-venv is not installed."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    done = environment(folder, sys.executable)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "bin" / "pip").is_file()
    assert environment(folder, "no-python-is-asked-for").returncode == 0


def test_an_older_python_is_told_before_it_makes_an_environment(tmp_path):
    older = tmp_path / "python3.10"
    older.write_text(OLDER.format(python=sys.executable))
    older.chmod(0o755)
    done = environment(tmp_path / "environment", older)
    assert done.returncode == 2
    assert done.stderr.startswith("toolkit needs Python 3.11 or newer; make PYTHON=")
    assert not (tmp_path / "environment").exists()
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()
