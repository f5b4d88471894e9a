"""Everything that ``toolkit doctor`` looks at, and its verdict."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from toolkit import __version__, constraints, host, registry, runtimes
from toolkit.bench.conditions import ADVICE, CLOCK
from toolkit.doctor import privacy
from toolkit.doctor.artifacts import failures
from toolkit.doctor.child import PACKAGES
from toolkit.doctor.files import File, find
from toolkit.doctor.probe import Finding, Health, Probe, probe
from toolkit.doctor.remedy import COPY, EXPORT, EXPORT_ANEW, pip
from toolkit.host import Host, State
from toolkit.manifest import MANIFEST
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.step import OnStep, Step, ignore

RUNTIMES = "toolkit.runtimes"
# A Raspberry Pi lowers its clock from here on (Raspberry Pi documentation, "Frequency management and thermal control").
HOT_C = 80.0
# What installs packages and is part of none: every system brings its own.
INSTALLERS = {"pip", "setuptools", "wheel"}
STEADY_GOVERNOR = "performance"
# What is tried after the parts.
ARTIFACTS = "artifacts"


@dataclass(frozen=True)
class Machine:
    """The machine. instruction_sets: which it has, empty if it does not tell. disk: of the current folder."""

    host: Host
    state: State
    instruction_sets: dict[str, bool]
    available_memory_bytes: int | None
    disk_bytes: int
    free_disk_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return its document."""
        return {**asdict(self), "host": self.host.to_json(), "bits": host.bits()}


@dataclass(frozen=True)
class Package:
    """An installed distribution, and its version that this toolkit is tested with."""

    name: str
    installed: str
    tested: str


@dataclass(frozen=True)
class DoctorReport:
    """What was found; true if nothing is broken.

    folders: those with a manifest. notes: findings that are about no part and no file.
    """

    machine: Machine
    packages: tuple[Package, ...]
    probes: tuple[Probe, ...]
    data: dict[str, Path | None]
    folders: tuple[Path, ...]
    files: tuple[File, ...]
    notes: tuple[Finding, ...]

    @property
    def findings(self) -> list[Finding]:
        """All that is not as it should be, the broken first. What breaks several parts is told once."""
        broken = [one.finding for one in reversed(self.probes) if one.finding.state == Health.BROKEN]
        parts = reversed({(finding.text, finding.remedy): finding for finding in broken}.values())
        again = _again(self.probes)
        files = [Finding(str(f.path), Health.BROKEN, f.problem, again) for f in self.files if f.problem]
        failing = [file for file in self.files if file.golden]
        files += [
            Finding(str(f.path), Health.BROKEN, str(f.golden), EXPORT_ANEW if f.listed else None) for f in failing
        ]
        rest = sorted(self.notes, key=lambda note: note.state != Health.BROKEN)
        return [*parts, *files, *rest]

    @property
    def verdict(self) -> Health:
        """BROKEN where something that is needed is, else OK."""
        return Health.BROKEN if any(finding.state == Health.BROKEN for finding in self.findings) else Health.OK

    def __bool__(self) -> bool:
        return self.verdict == Health.OK

    def to_json(self) -> dict[str, Any]:
        """Return the document for a bug report: it holds nothing private."""
        document = {
            "schema": 1,
            "command": "doctor",
            "toolkit": __version__,
            **self.machine.to_json(),
            "packages": {package.name: package.installed for package in self.packages},
            "tested_otherwise": {p.name: p.tested for p in self.packages if p.installed != p.tested},
            "parts": [one.to_json() for one in self.probes],
            # Where a data set lies is nobody's business: only whether it is there.
            "data": {name: place is not None for name, place in self.data.items()},
            "artifacts": [{**asdict(file), "path": file.path.name} for file in self.files],
            "findings": [asdict(finding) for finding in self.findings],
            "verdict": self.verdict,
        }
        manifests = [folder / MANIFEST for folder in self.folders]
        return privacy.redact(document, [*(file.path for file in self.files), *manifests])


def parts() -> tuple[str, ...]:
    """Return the names of what is tried, in order: packages that others need, then the runtimes."""
    return (*PACKAGES, *registry.names(RUNTIMES))


def examine(
    paths: Sequence[Path], *, root: Path = Path("/"), try_part: Callable[[str], Probe] = probe, on_step: OnStep = ignore
) -> DoctorReport:
    """Look at the machine under ``root``, at every part, and at the files that paths stand for, as ``files.find``.

    Raises what that raises.
    """
    files, unreadable = find(paths)
    machine = _machine(root)
    probes = []
    names = parts()
    for number, part in enumerate(names):
        on_step(Step(number, len(names) + 1, part))
        probes.append(try_part(part))
    on_step(Step(len(names), len(names) + 1, ARTIFACTS))
    working = {one.part for one in probes if one.part not in PACKAGES and one.finding.state == Health.OK}
    whole = [file.path for file in files if file.problem is None]
    failed = failures(whole, working, kernels=machine.host.kernels)
    notes = [Finding(str(path), Health.BROKEN, said, _again(probes)) for path, said in unreadable.items()]
    notes += _not_run(paths, probes)
    packages = _packages()
    if reason := host.unsupported():
        notes.append(Finding("Python", Health.BROKEN, reason))
    elif all(one.finding.state == Health.ABSENT for one in probes if one.part not in PACKAGES) and not working:
        notes.append(Finding("runtimes", Health.BROKEN, "none is installed", pip("install 'edge-model-toolkit[edge]'")))
    notes += [_other_version(package) for package in packages if package.installed != package.tested]
    notes += _conditions(machine)
    numpy_works = next(one.finding.state == Health.OK for one in probes if one.part == "numpy")
    return DoctorReport(
        machine=machine,
        packages=packages,
        probes=tuple(probes),
        data=_data() if numpy_works else {},
        folders=tuple({path.parent for path in (*(file.path for file in files), *unreadable)}),
        files=tuple(replace(file, golden=failed.get(file.path)) for file in files),
        notes=tuple(notes),
    )


def _machine(root: Path) -> Machine:
    described = host.describe(root)
    disk = shutil.disk_usage(Path.cwd())
    return Machine(
        host=described,
        state=host.read_state(root),
        # Under emulation the file is the real CPU's, or made up.
        instruction_sets={} if described.emulated else host.instruction_sets(root),
        available_memory_bytes=host.available_memory_bytes(root),
        disk_bytes=disk.total,
        free_disk_bytes=disk.free,
    )


def _packages() -> tuple[Package, ...]:
    """Return the installed distributions of which a version is tested."""
    versions = ((name, constraints.installed(name), tested) for name, tested in constraints.tested().items())
    return tuple(
        Package(name, version, tested) for name, version, tested in versions if version and name not in INSTALLERS
    )


def _other_version(package: Package) -> Finding:
    text = f"version {package.installed} is installed, {package.tested} is tested"
    return Finding(package.name, Health.WARNING, text, pip(f"install {constraints.requirement(package.name)}"))


def _conditions(machine: Machine) -> list[Finding]:
    """Return what makes this machine slower, or its figures worth less, than they could be."""
    findings = []
    governor, temperature = machine.state.governor, machine.state.temperature_c
    if governor not in (None, STEADY_GOVERNOR):
        findings.append(
            Finding("governor", Health.WARNING, f"it is {governor}: the clock follows the load", ADVICE[CLOCK])
        )
    if temperature is not None and temperature >= HOT_C:
        cool = ADVICE["soft temperature limit now"]
        findings.append(Finding("temperature", Health.WARNING, f"{temperature:.1f} °C: the clock is lowered", cool))
    for word in machine.host.throttled:
        event = word.removesuffix(" since boot").removesuffix(" now")
        findings.append(Finding("firmware", Health.WARNING, word, ADVICE[f"{event} now"]))
    if machine.host.emulated:
        findings.append(Finding("CPU", Health.WARNING, "it is emulated: no time measured here is a latency"))
    return findings


def _data() -> dict[str, Path | None]:
    from toolkit.data import named_sources

    return {name: module.locate() for name, module in named_sources().items()}


def _again(probes: Sequence[Probe]) -> str:
    """Return what gives a damaged file of an export anew on this machine."""
    exports = any(one.part == REFERENCE_RUNTIME and one.finding.state == Health.OK for one in probes)
    return EXPORT if exports else COPY


def _not_run(paths: Sequence[Path], probes: Sequence[Probe]) -> list[Finding]:
    """Return why files that were asked for by themselves are not run: their runtime is not installed."""
    absent = {one.part: one.finding for one in probes if one.finding.state == Health.ABSENT}
    parts = {path: absent.get(runtimes.for_file(path)) for path in paths if path.suffix in runtimes.suffixes()}
    return [Finding(str(path), Health.BROKEN, part.text, part.remedy) for path, part in parts.items() if part]
