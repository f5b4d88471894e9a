"""Imported by each Python that starts with this folder on its path: loads what ../run.py compiled with marks."""

import builtins
import marshal
import mmap
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


class Loader(SourceFileLoader):
    """Loads a module from its code with marks."""

    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class Finder:
    """Finds the modules whose code lies in a folder by their names, unless what would be imported is another file."""

    def __init__(self, codes: Path) -> None:
        self._codes = {path.name: path for path in codes.glob("*")}  # none for another version of Python

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._codes:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        code: CodeType = marshal.loads(self._codes[fullname].read_bytes())
        if spec is None or spec.origin != code.co_filename:
            return None
        spec.loader = Loader(fullname, spec.origin, code)
        return spec


if "STATEMENTS_MARKS" in os.environ:
    marks = Path(os.environ["STATEMENTS_MARKS"])
    with marks.open("r+b") as file:
        vars(builtins)["__statements__"] = mmap.mmap(file.fileno(), 0)
    sys.meta_path.insert(0, Finder(marks.parent / str(sys.implementation.cache_tag)))
