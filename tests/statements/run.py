"""Prepare a folder for a command, and read which lines it ran."""

import marshal
import os
import sys
from pathlib import Path

from tests.statements.marks import compile_with_marks

STARTUP = Path(__file__).with_name("startup")
# What tells a process where the marks are; the code lies beside them, in a folder of its own for each Python.
VARIABLE = "STATEMENTS_MARKS"
MARKS = "marks"


class Counted:
    """The statements of a package, of which a file holds which were run.

    package: its folder. folder: an empty one for what is compiled.
    """

    def __init__(self, package: Path, folder: Path) -> None:
        self._marks = folder / MARKS
        self._places: dict[Path, range] = {}
        codes = folder / sys.implementation.cache_tag
        codes.mkdir()
        first = 0
        for path in sorted(package.rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            module = ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
            (codes / module).write_bytes(marshal.dumps(compile_with_marks(source, str(path), first)))
            self._places[path] = range(first, first + len(source.splitlines()) + 1)
            first = self._places[path].stop
        self._marks.write_bytes(bytes(first))

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that is to be counted."""
        path = os.pathsep.join(filter(None, (str(STARTUP), os.environ.get("PYTHONPATH"))))
        return {**os.environ, "PYTHONPATH": path, VARIABLE: str(self._marks)}

    def lines(self) -> dict[str, list[int]]:
        """Return the lines that were run, by the path of their file, also of files of which none was."""
        marks = self._marks.read_bytes()
        return {
            str(path): [line for line, place in enumerate(places) if marks[place]]
            for path, places in self._places.items()
        }
