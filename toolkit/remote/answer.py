"""What a verification on a device came to, as it is sent from there and read here."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from toolkit.errors import DeviceError
from toolkit.files import documents
from toolkit.files.damage import refused
from toolkit.parity.compare import Comparison, overall
from toolkit.parity.result import Parity, document
from toolkit.remote.cargo import Cargo
from toolkit.verdict import Verdict


@dataclass(frozen=True)
class DevicePart:
    """The comparisons by golden of the artifacts of one manifest. dataset: what describes its golden."""

    dataset: dict[str, Any]
    comparisons: list[Comparison]


@dataclass(frozen=True)
class DeviceParity:
    """What a verification on a device came to, one part for each manifest; what is derived is derived here."""

    parts: list[DevicePart]

    @property
    def comparisons(self) -> list[Comparison]:
        """One for each artifact."""
        return [comparison for part in self.parts for comparison in part.comparisons]

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts."""
        return overall(self.comparisons)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit verify --json``."""
        return document([(part.dataset, part.comparisons) for part in self.parts])


def pack(parity: Parity) -> dict[str, Any]:
    """Return what is sent of a verification: what was found, without the images' rows, which stay there."""
    parts = (DevicePart(part.dataset, [replace(one, table=None) for one in part.comparisons]) for part in parity.parts)
    return asdict(DeviceParity(list(parts)))


def unpack(told: Any, device: str, cargo: Cargo) -> DeviceParity:
    """Return a verification that was sent, with the paths of here; DeviceError for what is none."""
    documents.check(told, device, what="an answer", error=DeviceError)
    sent = documents.convert(told, DeviceParity, device, what="an answer", error=DeviceError)
    parts = [replace(part, comparisons=[_at_home(one, cargo) for one in part.comparisons]) for part in sent.parts]
    parity = DeviceParity(parts)
    with refused(device, "an answer", error=DeviceError):  # figures of which nothing can be derived
        parity.to_json()
    return parity


def _at_home(comparison: Comparison, cargo: Cargo) -> Comparison:
    problem = comparison.problem
    return replace(
        comparison,
        artifact=str(cargo.here(comparison.artifact)),
        problem=problem and replace(problem, text=cargo.at_home(problem.text)),
        by_golden=True,
        table=None,
    )
