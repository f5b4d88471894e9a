"""Try a part in a process of its own, and name what went wrong with the command that mends it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from toolkit import programs
from toolkit.doctor import causes
from toolkit.doctor.child import FOUND, IMPORTED, RAN
from toolkit.doctor.remedy import pip
from toolkit.text import signal_name

# Seconds that a part may take: TensorFlow's first import from a slow SD card takes more than one.
DEADLINE_S = 120.0
COMMAND = (sys.executable, "-m", "toolkit.doctor.child")
# What a part was doing after each step.
_DOING = {None: "looking for it", FOUND: "importing it", IMPORTED: "running a model"}


class Health(StrEnum):
    """``ABSENT``: an extra that need not be installed is not; ``WARNING``: it works, but figures or safety suffer."""

    OK = "ok"
    ABSENT = "absent"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, and what mends it."""

    name: str
    state: Health
    text: str
    remedy: str | None = None


@dataclass(frozen=True)
class Probe:
    """What became of one part. devices: what it computes on here."""

    part: str
    finding: Finding
    versions: dict[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document of this part."""
        return {**asdict(self.finding), "versions": self.versions, "devices": list(self.devices)}


def probe(part: str, *, command: Sequence[str] = COMMAND, deadline_s: float = DEADLINE_S) -> Probe:
    """Try a package or a runtime."""
    ended = programs.run([*command, part], seconds=deadline_s)
    code, stderr = ended.code, ended.errors
    told = [json.loads(line) for line in ended.output.splitlines() if line.startswith("{") and line.endswith("}")]
    steps = {step["step"]: step for step in told if "step" in step}
    facts: dict[str, Any] = steps.get(FOUND, {})
    versions = facts.get("versions", {})
    error = next((step["error"] for step in told if "error" in step), None)
    if error is None and code not in (0, None) and code > 0:
        error = stderr.strip().splitlines()[-1] if stderr.strip() else f"exit code {code}"
    if error is None and code == 0 and facts.get("installed", True) and IMPORTED not in steps:
        error = "it ended the process"
    if error is None and code == 0:
        return _whole(part, steps, versions)
    doing = _DOING[next((step for step in (IMPORTED, FOUND) if step in steps), None)]
    distribution = _culprit(facts, part, versions)
    if error is not None:
        text, remedy = causes.explain_error(error, distribution, doing)
    elif code is None:
        text, remedy = causes.explain_timeout(deadline_s, distribution, doing)
    else:
        text, remedy = causes.explain_signal(signal_name(-code), distribution, doing, versions.get(distribution))
    return Probe(
        part, Finding(part, Health.BROKEN, text, remedy), versions, tuple(steps.get(IMPORTED, {}).get("devices", ()))
    )


def _whole(part: str, steps: dict[str, dict[str, Any]], versions: dict[str, str]) -> Probe:
    """Return the probe of a part that came to its end: it works, it is not installed, or only half of it is."""
    facts = steps[FOUND]
    if not facts["installed"]:
        if versions or facts["extra"] is None:
            distribution = _culprit(facts, part, versions)
            text, remedy = causes.explain_missing_files(distribution, known=bool(versions))
            return Probe(part, Finding(part, Health.BROKEN, text, remedy), versions)
        remedy = pip(f"install 'edge-model-toolkit[{facts['extra']}]'")
        return Probe(part, Finding(part, Health.ABSENT, f"{facts['package']} is not installed", remedy))
    devices = tuple(steps[IMPORTED]["devices"])
    what = ", ".join(f"{name} {version}" for name, version in versions.items()) or "of an unknown version"
    what += ", ran a model" if RAN in steps else ", imported"
    what += f" on {', '.join(devices)}" if devices else ""
    return Probe(part, Finding(part, Health.OK, what), versions, devices)


def _culprit(facts: dict[str, Any], part: str, versions: dict[str, str]) -> str:
    """Return the distribution to name: that of the package itself if a part has several."""
    package = str(facts.get("package", part)).replace("_", "-")
    return package if package in versions or not versions else next(iter(versions))
