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
class Verified:
    """Comparisons with one reference, and the images that they were made on.

    manifest: the one that lists the artifacts, None if they were compared with a model of the user's choice.
    """

    reference: Path
    manifest: Manifest | None
    class_names: tuple[str, ...]
    dataset: dict[str, Any]
    comparisons: list[Comparison]
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
        """Whether the images were those of golden.npz."""
        return any(comparison.by_golden for comparison in self.comparisons)

    @property
    def overlaps(self) -> bool:
        """Whether the model has learned from some of the test images."""
        return bool(self.dataset["overlap"])


@dataclass(frozen=True)
class Parity:
    """What a verification came to, one part for each reference. True if every artifact passed.

    records: the parity records that were written, one for each part, if that was asked for.
    """

    parts: tuple[Verified, ...]
    records: tuple[Path, ...] = ()

    @property
    def comparisons(self) -> list[Comparison]:
        """One for each artifact."""
        return [comparison for part in self.parts for comparison in part.comparisons]

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts: ``pass``, ``fail`` or ``inconclusive``."""
        return overall(self.comparisons)

    def __bool__(self) -> bool:
        return self.verdict == Verdict.PASS

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit verify --json``. ``dataset`` is null if folders have different ones."""
        compared = document([(part.dataset, part.comparisons) for part in self.parts])
        return {**compared, "references": [str(part.reference) for part in self.parts]}


def document(parts: Sequence[tuple[dict[str, Any], list[Comparison]]]) -> dict[str, Any]:
    """Return the document of ``toolkit verify --json``, of the data and comparisons of each part."""
    datasets = [dataset for dataset, _ in parts]
    return {
        "schema": 1,
        "command": "verify",
        "dataset": datasets[0] if all(dataset == datasets[0] for dataset in datasets) else None,
        "results": [{**one.to_json(), "dataset": dataset} for dataset, comparisons in parts for one in comparisons],
        "verdict": overall([one for _, comparisons in parts for one in comparisons]),
    }
