"""What is said of one result: its operators, how near it comes to what the machine can do, why it is not faster."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypedDict

from toolkit.bench.profile import Profile
from toolkit.bench.roofline import Roofline
from toolkit.files import documents


class WhyEntry(TypedDict):
    """``Explanation`` as a document; beside it stands its profile."""

    roofline: Roofline | None
    not_faster_because: str | None


@dataclass(frozen=True)
class Explanation:
    """roofline: of the artifact's arithmetic, if it was measured. reason: why it is not faster than float32."""

    profile: Profile
    roofline: Roofline | None
    reason: str | None

    def rate(self, median_s: float) -> float | None:
        """Return the multiply-accumulates a second of an artifact with that latency."""
        return self.profile.macs / median_s if self.profile.macs else None

    @property
    def attainable(self) -> tuple[float, str] | None:
        """The multiply-accumulates a second that the machine allows, and by which roof."""
        if self.roofline is None or not self.profile.macs:
            return None
        return self.roofline.attainable(self.profile.macs, self.profile.weight_bytes)

    def share(self, median_s: float) -> float | None:
        """Return the share of what the machine allows."""
        rate, attainable = self.rate(median_s), self.attainable
        return rate / attainable[0] if rate and attainable else None

    def to_json(self, median_s: float | None) -> dict[str, Any]:
        """Return what a record says of it. median_s: None under emulation, where there are no rates."""
        attainable = self.attainable
        return {
            **self.profile.to_json(),
            "macs_per_s": None if median_s is None else self.rate(median_s),
            "attainable_macs_per_s": attainable[0] if attainable else None,
            "bound": attainable[1] if attainable else None,
            "share_of_attainable": None if median_s is None else self.share(median_s),
            "roofline": documents.to_tree(self.roofline),
            "not_faster_because": self.reason,
        }


def read(document: WhyEntry, path: Path) -> Explanation:
    """Return what the record at ``path`` says; its other keys are derived."""
    names = {*(one.name for one in fields(Profile)), *Profile.DERIVED}
    told = {name: part for name, part in document.items() if name in names}
    profile = documents.convert(told, Profile, path, what="a benchmark record")
    return Explanation(profile, document["roofline"], document["not_faster_because"])
