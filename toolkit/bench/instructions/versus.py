"""Two files by the instructions of an inference: does the candidate execute more than the reference?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.bench import instructions
from toolkit.bench.instructions import Instructions
from toolkit.bench.tolerance import MORE_INSTRUCTIONS, check_tolerance
from toolkit.files import sha256
from toolkit.step import OnStep, Step, ignore
from toolkit.verdict import Verdict


@dataclass(frozen=True)
class Counts:
    """Two files side by side. True unless the candidate executes more instructions than tolerated.

    counted: of the reference and of the candidate; None if both files are the same by their digest. tolerance: the
    share by which the candidate may execute more.
    """

    reference: Path
    candidate: Path
    counted: tuple[Instructions, Instructions] | None
    tolerance: float

    @property
    def ratio(self) -> float:
        """How many times the reference's instructions the candidate executes."""
        return self.counted[1].count / self.counted[0].count if self.counted else 1.0

    @property
    def remarks(self) -> list[str]:
        """How the files were opened, if not as their runtimes would by themselves."""
        files = (self.reference, self.candidate)
        return [f"{file}: {one.remark}" for file, one in zip(files, self.counted or (), strict=False) if one.remark]

    def __bool__(self) -> bool:
        return self.ratio <= 1 + self.tolerance

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit compare --instructions --json``."""
        reference, candidate = (one.to_json() for one in self.counted) if self.counted else (None, None)
        compared = {
            "reference": str(self.reference),
            "artifact": str(self.candidate),
            "same_file": self.counted is None,
            "reference_instructions": reference,
            "instructions": candidate,
            "ratio": self.ratio,
        }
        return {
            "schema": 1,
            "command": "compare",
            "compared": [compared],
            "tolerance": self.tolerance,
            "verdict": Verdict.from_passed(bool(self)),
        }


def compare(
    reference: Path,
    candidate: Path,
    *,
    tolerance: float = MORE_INSTRUCTIONS,
    cpu: str | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    on_step: OnStep = ignore,
) -> Counts:
    """Count both files on one CPU, as ``count`` does. tolerance: the share by which the candidate may execute more.

    shapes: of inputs, by name, with more sizes free than the batch. Raises UsageError for a negative tolerance, and
    what ``count`` raises.
    """
    check_tolerance(tolerance)
    if sha256(reference) == sha256(candidate):
        return Counts(reference, candidate, None, tolerance)
    counted = []
    for done, path in enumerate((reference, candidate)):
        on_step(Step(done, 2, f"counting {path}"))
        counted.append(instructions.count(path, cpu=cpu, shapes=shapes))
    return Counts(reference, candidate, (counted[0], counted[1]), tolerance)
