"""What a verification on a device came to, as it is sent from there and read here."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from toolkit.errors import DeviceError
from toolkit.files import documents
from toolkit.files.damage import decoding
from toolkit.parity.compare import Comparison
from toolkit.parity.result import Comparisons, Parity, Part
from toolkit.remote.cargo import Cargo


@dataclass(frozen=True)
class DeviceParity(Comparisons):
    """What a verification on a device came to, one part for each manifest; what is derived is derived here."""

    parts: list[Part]


def pack(parity: Parity) -> dict[str, Any]:
    """Return what is sent of a verification: what was found, without the images' rows, which stay there."""
    parts = (Part(part.dataset, [replace(one, table=None) for one in part.comparisons]) for part in parity.parts)
    return asdict(DeviceParity(list(parts)))


def unpack(told: Any, device: str, cargo: Cargo) -> DeviceParity:
    """Return a verification that was sent, with the paths of here; DeviceError for what is none."""
    documents.check(told, device, what="an answer", error=DeviceError)
    sent = documents.convert(told, DeviceParity, device, what="an answer", error=DeviceError)
    parts = [replace(part, comparisons=[_at_home(one, cargo) for one in part.comparisons]) for part in sent.parts]
    parity = DeviceParity(parts)
    with decoding(device, "an answer", error=DeviceError):  # figures of which nothing can be derived
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
