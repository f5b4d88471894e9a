"""A record beside what its raw samples say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.verdict import Verdict

BENCHMARK, PARITY = "benchmark", "parity"


@dataclass(frozen=True)
class Rebuilt:
    """A record whose figures were computed again from its raw samples. True if the record says the same.

    kind: BENCHMARK, whose samples are latencies, or PARITY, whose samples are test rows. differences: a sentence for
    each figure that the samples do not give.
    """

    path: Path
    kind: str
    artifacts: int
    samples: int
    figures: int
    differences: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """FAIL where anything differs."""
        return Verdict.from_passed(not self.differences)

    def __bool__(self) -> bool:
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit record check --json``."""
        return {
            "schema": 1,
            "command": "record check",
            "record": str(self.path),
            "kind": self.kind,
            "artifacts": self.artifacts,
            "n": self.samples,
            "figures": self.figures,
            "differences": list(self.differences),
            "verdict": self.verdict,
        }
