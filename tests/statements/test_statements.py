"""Marks: the lines that they tell are those that coverage.py traces, also of a process that is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from coverage import Coverage

from tests.statements.run import Counted

# Every kind of statement that has a body, and lines that are not run: ``never``.
SOURCE = '''\
"""A module."""

import functools
from dataclasses import dataclass
from enum import Enum


@functools.cache
@functools.wraps(
    len,
)
def decorated(value):
    """Return it."""
    return value


@dataclass
class Point:
    """A class."""

    x: int = 0

    def __private(self):
        never = self.x
        return never

    @property
    def doubled(self):
        return (
            self.x
            * 2
        )


class Colour(Enum):
    RED = "red"


async def later():
    never = 1
    return never


def kinds(value):
    try:
        int(value)
    except KeyError:
        never = 1
    except ValueError as error:
        caught = str(error)
    else:
        never = 2
    finally:
        done = True
    for number in range(2):
        if number == 0:
            continue
        elif number > 5:
            never = 3
        else:
            pass
    else:
        done = False
    while not done:
        done = True
    with open("/dev/null") as file, \\
            open("/dev/null"):
        file.read()
    match value:
        case "y":
            never = 6
        case "x":
            found = [
                one
                for one in "abc"
            ]
        case _:
            never = 4
    assert found, caught
    global changed
    changed = lambda: (never if found else found)
    return (yield) if False else found


if __name__ == "__main__":
    never = 5
decorated(Point().doubled)
list(kinds("x"))
'''
# Ends itself before it could write anything down.
KILLED = """\
import os
from made.part import value

os.kill(os.getpid(), value)
never = 1
"""


@pytest.fixture
def counted(tmp_path):
    """A package that lies in a folder of packages, and a program that imports it."""
    package = tmp_path / "packages" / "made"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(SOURCE)
    (package / "part.py").write_text(f"value = {int(signal.SIGKILL)}\n")
    (package / "__main__.py").write_text(KILLED)
    (package / "unused.py").write_text("never = 1\n")
    (tmp_path / "program.py").write_text("import made\n")
    (tmp_path / "run").mkdir()
    return Counted(package, tmp_path / "run")


def run(tmp_path, *arguments, environment, packages="packages"):
    """Run Python where packages are found; returns its exit code."""
    path = os.pathsep.join(filter(None, (environment.get("PYTHONPATH"), str(tmp_path / packages))))
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env={**environment, "PYTHONPATH": path}, check=False).returncode


def lines(counted):
    return {Path(path).name: found for path, found in counted.lines().items()}


def test_the_lines_that_are_run_are_those_that_coverage_py_traces(counted, tmp_path):
    program, path = tmp_path / "program.py", tmp_path / "packages" / "made" / "__init__.py"
    assert run(tmp_path, program, environment=counted.environment()) == 0
    marked = Coverage(data_file=None, config_file=False)
    marked.get_data().add_lines(counted.lines())
    data = tmp_path / "traced"
    options = ("--rcfile", os.devnull, "--include", path, "--data-file", data)
    assert run(tmp_path, "-m", "coverage", "run", *options, program, environment={}) == 0
    traced = Coverage(data_file=str(data), config_file=False)
    traced.load()
    _, statements, _, expected, _ = traced.analysis2(str(path))
    assert (len(statements), len(expected)) > (50, 5)
    assert marked.analysis2(str(path))[3] == expected


def test_a_killed_process_counts_up_to_its_end(counted, tmp_path):
    assert run(tmp_path, "-m", "made", environment=counted.environment()) == -signal.SIGKILL
    found = lines(counted)
    assert found.pop("__init__.py")
    assert found == {"__main__.py": [1, 2, 4], "part.py": [1], "unused.py": []}


def test_a_copy_of_the_package_is_another_one(counted, tmp_path):
    copy = tmp_path / "copies" / "made"
    copy.mkdir(parents=True)
    (copy / "__init__.py").write_text("from made.part import value\n")
    (copy / "part.py").write_text("value = 1\n")
    assert run(tmp_path, tmp_path / "program.py", environment=counted.environment(), packages="copies") == 0
    assert not any(lines(counted).values())
