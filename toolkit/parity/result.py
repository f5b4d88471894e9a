"""What a verification came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.manifest import Manifest
from toolkit.parity.compare import Comparison, overall
from toolkit.parity.material import Material
from toolkit.verdict import Verdict


@dataclass(frozen=True)
class Part:
    """Comparisons on the same data. dataset: what describes those."""

    dataset: dict[str, Any]
    comparisons: list[Comparison]


@dataclass(frozen=True)
class Verified(Part):
    """Comparisons with one reference, and the rows that they were made on.

    manifest: the one that lists the artifacts, None if they were compared with a model of the user's choice.
    """

    reference: Path
    manifest: Manifest | None
    class_names: tuple[str, ...]
    expected: Material

    @property
    def subject(self) -> Path:
        """What is said to have been verified: the folder of the manifest, else the reference."""
        return self.manifest.folder if self.manifest else self.reference

    @property
    def noun(self) -> str:
        """What a row of its data is called in a sentence."""
        return "image" if self.expected.images.dtype == np.uint8 else "row"

    @property
    def by_golden(self) -> bool:
        """Whether the rows were those of golden.npz."""
        return any(comparison.by_golden for comparison in self.comparisons)

    @property
    def overlaps(self) -> bool:
        """Whether the model has learned from some of the test rows."""
        return bool(self.dataset["overlap"])


class Comparisons:
    """Comparisons in parts, each with what describes the data that it was made on."""

    parts: Sequence[Part]

    @property
    def comparisons(self) -> list[Comparison]:
        """One for each artifact."""
        return [comparison for part in self.parts for comparison in part.comparisons]

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts: ``pass``, ``fail`` or ``inconclusive``."""
        return overall(self.comparisons)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit verify --json``. ``dataset`` is null if folders have different ones."""
        datasets = [part.dataset for part in self.parts]
        return {
            "schema": 1,
            "command": "verify",
            "dataset": datasets[0] if all(one == datasets[0] for one in datasets) else None,
            "results": [{**one.to_json(), "dataset": part.dataset} for part in self.parts for one in part.comparisons],
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Parity(Comparisons):
    """What a verification came to, one part for each reference. True if every artifact passed.

    records: the parity records that were written, one for each part, if that was asked for.
    """

    parts: tuple[Verified, ...]
    records: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return self.verdict == Verdict.PASS

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit verify --json``. ``dataset`` is null if folders have different ones."""
        return {**super().to_json(), "references": [str(part.reference) for part in self.parts]}
