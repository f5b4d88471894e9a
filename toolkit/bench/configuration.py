"""One thing to measure, and what has been measured of it so far, until that is a result."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.bench.candidates import Candidate
from toolkit.bench.measure import END_TO_END, INVOKE, PACED
from toolkit.bench.pairs import Pairs
from toolkit.bench.result import BASELINE_QUANTIZATION, Mark, Opened, Result
from toolkit.bench.statistics import Blocks
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.files.documents import to_tree


@dataclass(frozen=True, eq=False)
class Configuration:
    """One artifact with a number of threads and a batch size; a key, itself and no other.

    setting: of its runtime, by its name; None for the usual ones.
    """

    candidate: Candidate
    threads: int
    batch: int
    setting: str | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file; that of its manifest was compared when the file was selected."""
        listed = self.candidate.artifact
        return listed.sha256 if listed else sha256(self.candidate.path)

    @property
    def told(self) -> dict[str, Any]:
        """What a worker is told to open it."""
        manifest = self.candidate.manifest
        inputs = manifest.golden_path if manifest else None
        return {
            "path": str(self.candidate.path),
            "runtime": self.candidate.runtime,
            "threads": self.threads,
            "batch": self.batch,
            "inputs": str(inputs) if inputs and inputs.is_file() else None,
            "convention": to_tree(manifest.convention) if manifest else None,
            "shapes": {name: list(shape) for name, shape in self.candidate.shapes.items()},
            "setting": self.setting,
        }

    def baseline(self, among: Sequence["Configuration"]) -> "Configuration | None":
        """Return the float32 one that it is compared with; None for itself and where there is none."""
        mine = self.candidate.artifact
        if mine is None or self._is_baseline:
            return None
        setting = self._setting
        return next((one for one in among if one._is_baseline and one._setting == setting), None)

    @property
    def _is_baseline(self) -> bool:
        listed = self.candidate.artifact
        return listed is not None and listed.quantization == BASELINE_QUANTIZATION

    @property
    def _setting(self) -> tuple[Path, str | None, str, int, int]:
        listed = self.candidate.artifact
        kind = listed.format if listed else None
        return self.candidate.path.parent, kind, self.candidate.runtime, self.threads, self.batch

    def __str__(self) -> str:
        return f"{self.candidate.path} ({self.threads} threads, batch {self.batch})"


@dataclass
class Measured:
    """What was measured of one configuration: a list of blocks by kind for each process, and the marked turns.

    sha256: of the file. golden: what is wrong with its answers to the golden. notes: what it may compute differently
    elsewhere. Its first process is asked for both. pairs: of each process, blocks of its float32 original and of
    itself. apart: why there are none. failure: why no more is measured of it.
    """

    sha256: str
    opened: list[Opened] = field(default_factory=list)
    blocks: list[dict[str, list[NDArray[np.float64]]]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    golden: str | None = None
    notes: tuple[str, ...] = ()
    pairs: list[NDArray[np.float64]] = field(default_factory=list)
    apart: str | None = None
    failure: ArtifactError | None = None

    def begin(self, opened: Opened) -> None:
        """Note that another process has opened the artifact."""
        self.opened.append(opened)
        self.blocks.append({kind: [] for kind in (INVOKE, END_TO_END, PACED)})

    def add(self, kind: str, samples: NDArray[np.float64]) -> None:
        """Note a block of the newest process; samples: ns an inference."""
        self.blocks[-1][kind].append(samples)

    def mark(self, turn: int, reasons: tuple[str, ...]) -> None:
        """Note what changed on the machine in a turn of the newest process."""
        self.marks += [Mark(len(self.blocks) - 1, turn, reason) for reason in reasons]

    def look_again(self, configuration: Configuration) -> None:
        """Note a failure if the file is no longer the one that was measured: an export may have replaced it."""
        path = configuration.candidate.path
        if self.failure is None and not (path.is_file() and sha256(path) == self.sha256):
            self.failure = ArtifactError(f"{path}: was replaced or changed while it was measured; measure it again")

    def result(self, configuration: Configuration, folder: Path, position: int) -> Result | None:
        """Return what was measured, its raw samples saved in ``folder``; None if no block was.

        A process that was interrupted, the last one, has fewer blocks than the others and is left out, unless it is the
        only one.
        """
        turns = max((len(blocks[END_TO_END]) for blocks in self.blocks), default=0)
        if not turns:
            return None
        kept = [number for number, blocks in enumerate(self.blocks) if len(blocks[END_TO_END]) == turns]
        whole = [self.blocks[number] for number in kept]
        path, listed = configuration.candidate.path, configuration.candidate.artifact
        result = Result(
            path=path,
            sha256=self.sha256,
            size_bytes=path.stat().st_size,
            format=listed.format if listed else None,
            quantization=listed.quantization if listed else None,
            parity=listed.verdict if listed else None,
            accuracy=listed.accuracy if listed else None,
            accuracy_measured_on=listed.measured_on.kernels if listed and listed.measured_on else None,
            golden=self.golden,
            notes=(*self.notes, *([f"not timed beside float32: {self.apart}"] if self.apart else [])),
            runtime=configuration.candidate.runtime,
            threads=configuration.threads,
            batch=self.opened[0].batch or configuration.batch,
            samples=f"{position:03}-{path.name}-t{configuration.threads}-b{configuration.batch}.npz",
            invoke=_blocks([blocks[INVOKE] for blocks in whole]),
            end_to_end=_blocks([blocks[END_TO_END] for blocks in whole]),
            paced=_blocks([blocks[PACED] for blocks in whole]) if all(blocks[PACED] for blocks in whole) else None,
            opened=tuple(self.opened[number] for number in kept),
            marks=tuple(mark for mark in self.marks if mark.process in kept),
            pairs=Pairs.from_processes(self.pairs) if self.pairs else None,
        )
        result.write_samples(folder)
        return result


def _blocks(processes: list[list[NDArray[np.float64]]]) -> Blocks:
    """Return the blocks that every process has, in seconds; an interrupted process may have fewer."""
    turns = min(len(blocks) for blocks in processes)
    kept = [block for blocks in processes for block in blocks[:turns]]
    lengths = np.array([len(block) for block in kept]).reshape(len(processes), turns)
    return Blocks(np.concatenate(kept) / 1e9, lengths)
