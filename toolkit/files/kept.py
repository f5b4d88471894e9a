"""Results that took long to compute, in the user's cache: documents, each named after all that it depends on."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from toolkit.cache import cache_folder
from toolkit.errors import ToolkitError
from toolkit.files import documents
from toolkit.files.writing import write_json

T = TypeVar("T")

_DIGITS = 32
_WHAT = "a document of the cache"


@dataclass(frozen=True)
class Kept:
    """The place of such a document. folder: within the cache. asked: what it depends on, as JSON has it."""

    folder: str
    asked: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The file; what belongs to it has the same name and another suffix."""
        digest = hashlib.sha256(json.dumps(self.asked, sort_keys=True).encode()).hexdigest()
        return cache_folder() / self.folder / f"{digest[:_DIGITS]}.json"

    def read(self, kind: type[T]) -> T | None:
        """Return the result, as ``documents.convert`` makes it; None if nothing is kept, or it is damaged."""
        with suppress(ToolkitError):
            document = documents.load(self.path, what=_WHAT)
            return documents.convert(document.get("found"), kind, self.path, what=_WHAT)
        return None

    def write(self, value: Any) -> None:
        """Keep the result; if the cache cannot be written, it is computed again next time."""
        with suppress(OSError, ToolkitError):
            write_json(self.path, {"asked": self.asked, "found": documents.to_tree(value)})
