"""How a benchmark ends: with results or an error, and with which exit code."""

from typing import TYPE_CHECKING

from toolkit.errors import INTERRUPTED, ArtifactError, CheckFailedError

if TYPE_CHECKING:
    from toolkit.bench.record import Record


def require_results(record: "Record") -> None:
    """Raise KeyboardInterrupt or ArtifactError if nothing was measured, unless a model's process crashed."""
    if record.results:
        return
    if record.interrupted:
        raise KeyboardInterrupt
    if not record.crashed:
        raise ArtifactError("; ".join(dict.fromkeys(record.failures.values())))


def exit_code(record: "Record", *, strict: bool) -> int:
    """Return the exit code of a benchmark. strict: whether what changed on the machine counts."""
    if record.interrupted:
        return INTERRUPTED
    nothing_fits = any(not choice["fits"] for choice in record.recommendations)
    return CheckFailedError.exit_code if record.failures or nothing_fits or (strict and record.marked) else 0
