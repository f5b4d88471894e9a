"""Whatever a damaged file causes becomes one error that names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.errors import ToolkitError


@contextmanager
def decoding(path: Path | str, what: str, *, error: type[ToolkitError]) -> Iterator[None]:
    """Raise ``error``, with the reason, for every exception of a block that decodes ``path``. what: "a golden".

    Every: a zip file alone raises eleven kinds (zlib.error, NotImplementedError, RuntimeError, struct.error, …), which
    differ from version to version of Python. The block must do nothing but decode.
    """
    try:
        yield
    except ToolkitError:
        raise
    except MemoryError as problem:
        raise error(f"{path}: cannot be read as {what}: the memory does not suffice") from problem
    except RecursionError as problem:
        raise error(f"{path}: cannot be read as {what}: nested too deeply") from problem
    except Exception as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise error(f"{path}: cannot be read as {what}: {reason or type(problem).__name__}") from problem
