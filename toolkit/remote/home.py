"""Bring a record home: what a device sent becomes a record like those that are measured here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit import locks
from toolkit.bench import record, resume
from toolkit.bench.reading import RECORD, SamplesName
from toolkit.bench.record import Record, make, new_folder
from toolkit.errors import ArtifactError
from toolkit.files import documents, write_bytes, write_json
from toolkit.remote.cargo import Cargo
from toolkit.text import printable

# A record is sent anew with each round; one of a thousand artifacts with 10,000 samples each has less than that.
MOST_FILES, MOST_BYTES = 10_000, 1 << 28


class Home:
    """A device's record here, which always holds what was measured so far; a context manager.

    Files arrive in a scratch folder. Once they are a whole record, they are kept: in a new folder below ``output``,
    named by the time, or joined to an ``earlier`` record, in its folder.
    """

    def __init__(self, output: Path, cargo: Cargo, earlier: Record | None) -> None:
        self._output, self._cargo, self._earlier = output, cargo, earlier
        self._scratch = locks.scratch()
        self._taken_bytes: dict[str, int] = {}
        self.record: Record | None = None

    def __enter__(self) -> "Home":
        self._arriving = self._scratch.__enter__()
        return self

    def __exit__(self, *how: Any) -> None:
        self._scratch.__exit__(*how)

    def take(self, message: dict[str, Any], content: bytes) -> None:
        """Take a piece of a file; ArtifactError for a name that no record has."""
        name = str(message["name"])
        try:
            name = name if name == RECORD else SamplesName(name)
        except ValueError as error:
            raise ArtifactError(f"it sent {name!r}, which is no part of a record") from error
        first = message["first"] is True
        self._taken_bytes[name] = len(content) + (0 if first else self._taken_bytes.get(name, 0))
        if len(self._taken_bytes) > MOST_FILES or sum(self._taken_bytes.values()) > MOST_BYTES:
            raise ArtifactError(f"it sent more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes of a record")
        with (self._arriving / name).open("wb" if first else "ab") as file:
            file.write(content)

    def keep(self) -> None:
        """Keep the record that has arrived; ArtifactError if it is none, or of other artifacts."""
        arrived = self._arriving
        write_json(arrived / RECORD, printable(documents.load(arrived / RECORD, what="a benchmark record")))
        benchmark = record.read(arrived)
        benchmark.results = [replace(result, path=self._cargo.here(str(result.path))) for result in benchmark.results]
        benchmark.failures = {self._cargo.at_home(k): self._cargo.at_home(why) for k, why in benchmark.failures.items()}
        if self._earlier is not None:
            benchmark = resume.join(self._earlier, benchmark)
        else:
            benchmark.folder = self.record.folder if self.record else make(new_folder(self._output))
            for result in benchmark.results:
                write_bytes(benchmark.folder / result.samples, (arrived / result.samples).read_bytes())
        benchmark.save()
        self.record = benchmark

    def interrupted(self) -> None:
        """Note that nothing more comes."""
        if self.record is not None:
            self.record.interrupted = True
            self.record.save()
