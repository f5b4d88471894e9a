"""Files: never half-written, and never trusted: every reader looks at kind, size and types before it uses anything."""

from toolkit.files.names import FileName, relative_to_here
from toolkit.files.regular import opened, read_bytes, require_file, require_no_link, sha256
from toolkit.files.writing import (
    PARTIAL,
    atomic,
    naming,
    naming_final,
    remove_partials,
    write_bytes,
    write_json,
    write_text,
)

__all__ = [
    "PARTIAL",
    "FileName",
    "atomic",
    "naming",
    "naming_final",
    "opened",
    "read_bytes",
    "relative_to_here",
    "remove_partials",
    "require_file",
    "require_no_link",
    "sha256",
    "write_bytes",
    "write_json",
    "write_text",
]
