"""What the environment of a device is made from: a wheel of toolkit, and the tested wheels of what it needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit import constraints
from toolkit.files import sha256
from toolkit.wheels.tested import INSTALLER, digests_for, requirements

EXTRA = "edge"


@dataclass(frozen=True)
class System:
    """What a device says of itself: its Python (``3.11.2``) and its processor (``aarch64``)."""

    python: str
    machine: str

    def __str__(self) -> str:
        return f"Python {self.python} on {self.machine}"

    @property
    def fill(self) -> str:
        """The command that downloads its wheels, up to the folder."""
        return f"toolkit wheels --python {'.'.join(self.python.split('.')[:2])} --arch {self.machine}"

    @property
    def tested(self) -> Mapping[str, str]:
        """The digests of the wheels for it, by name; empty if none are tested."""
        return digests_for(self.python, self.machine)


@dataclass(frozen=True)
class Kit:
    """Where the wheels come from. packages: a folder of them, None to ask the device's package index."""

    wheel: Path
    packages: Path | None = None

    def key(self, system: System) -> str:
        """Return the name of an environment: a digest of toolkit's wheel, with its tested versions, and of Python."""
        return hashlib.sha256(f"{sha256(self.wheel)} {system.python} {EXTRA}".encode()).hexdigest()[:16]

    def files(self, system: System) -> dict[str, Path]:
        """Return the wheels to take along, by name: that of toolkit, and the tested ones that the folder has."""
        others = [self.packages / name for name in system.tested] if self.packages else []
        return {path.name: path for path in (*others, self.wheel) if path.is_file()}

    def lacking(self, system: System) -> list[str]:
        """Return the tested wheels that the folder lacks."""
        return [name for name in system.tested if self.packages and not (self.packages / name).is_file()]

    def pinned(self, system: System) -> tuple[list[str], bool]:
        """Return lines for pip, and whether they name tested files by their digests, not only tested versions."""
        files = {name: digest for name, digest in system.tested.items() if not name.startswith(f"{INSTALLER}-")}
        if files:
            return requirements(files), True
        return constraints.path().read_text(encoding="utf-8").splitlines(), False
