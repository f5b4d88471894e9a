"""What a report is about: an export, and what lies beside it. What is not there, or is damaged, says so as an error."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from toolkit import data
from toolkit.bench import passing_on
from toolkit.bench import reading as benchmarks
from toolkit.bench.record import Record
from toolkit.bench.record import read as read_record
from toolkit.data.base import Split
from toolkit.errors import ArtifactError, DataError, DataUnavailableError, ToolkitError
from toolkit.files import relative_to_here, sha256
from toolkit.manifest import Artifact, Manifest
from toolkit.parity import reading as verifications
from toolkit.parity import verify
from toolkit.parity.evidence import RowFile
from toolkit.parity.record import RECORD
from toolkit.parity.verify import VerifyOptions
from toolkit.report.history import EpochFigures, read_history
from toolkit.runs import RUNS
from toolkit.verdict import Verdict


class ParityRows(NamedTuple):
    """What a parity record kept of every test row: of the reference, and of each artifact by its name."""

    reference: RowFile
    artifacts: dict[str, RowFile]
    test_set: str  # the SHA-256 of the rows


@dataclass(frozen=True)
class Subject:
    """An export, and where to look for what is known of it. What is not there raises a ToolkitError that says so.

    given: the record of a benchmark; None stands for the newest of these files in ``benchmarks``. choice: where test
    rows come from, as ``--data`` takes it; None stands for the data of the manifest, where they are on this machine.
    """

    manifest: Manifest
    benchmarks: tuple[Path, ...]
    given: Record | None = None
    choice: str | None = None

    @property
    def folder(self) -> Path:
        """The folder of the export."""
        return self.manifest.folder

    @property
    def rows_are(self) -> str:
        """What the rows of its data are called."""
        return f"{self.manifest.noun}s"

    def require_given(self) -> None:
        """Raise a ToolkitError if what was given is not of this export: only what was looked for may be absent."""
        if self.given is not None:
            _ = self.record
        if self.choice is not None:
            _ = self.test_set

    @cached_property
    def record(self) -> Record:
        """The benchmark, with the results of these artifacts alone, called as a page may call them."""
        own = {artifact.sha256 for artifact in self.manifest.artifacts}
        benchmark = self.given or self._newest(own)
        results = [result for result in benchmark.results if result.sha256 in own]
        if not results:
            raise ArtifactError(f"{benchmark.folder}: a benchmark of other files than those of {self.folder}")
        if benchmark.host.emulated:
            raise ArtifactError(f"{benchmark.folder}: measured on an emulated machine, whose times are no latencies")
        names = passing_on.names(result.path for result in results)
        folder = relative_to_here(benchmark.folder) or Path(benchmark.folder.resolve().name)
        return replace(benchmark, folder=folder, results=[replace(one, path=names[one.path]) for one in results])

    def _newest(self, own: set[str]) -> Record:
        records = (path for one in self.benchmarks for path in sorted(one.glob(f"*/{benchmarks.RECORD}"), reverse=True))
        for path in records:
            try:
                said = benchmarks.document(path, benchmarks.OutcomeEntry)
            except ArtifactError:
                continue  # of somebody's, and nobody asked for it
            if own & {result.get("sha256") for result in said["results"]}:
                return read_record(path.parent)
        raise ArtifactError(f"no benchmark of these files was given or found; 'toolkit bench {self.folder}' makes one")

    @cached_property
    def rows(self) -> ParityRows:
        """What is known of every test row."""
        path = self.folder / RECORD
        _, document = verifications.read(path)
        kept = self.folder / document["rows"]["path"]
        if kept.is_symlink() or sha256(kept) != document["rows"]["sha256"]:
            raise ArtifactError(f"{kept}: not what {path} was made of; 'toolkit verify --save' makes both again")
        now = {artifact.path: artifact.sha256 for artifact in self.manifest.artifacts}
        same = {one["artifact"] for one in document["results"] if now.get(one["artifact"]) == one["sha256"]}
        tables = verifications.read_rows(kept, document["classes"])
        classes = len(self.manifest.data.classes)
        if document["classes"] != classes:
            raise ArtifactError(f"{path}: speaks of {document['classes']} classes, the manifest of {classes}")
        named = {name.removeprefix(verifications.ARTIFACT): table for name, table in tables.items()}
        artifacts = {name: table for name, table in named.items() if name in same}
        return ParityRows(tables[verifications.REFERENCE], artifacts, str(document["dataset"]["sha256"]))

    @cached_property
    def history(self) -> list[EpochFigures]:
        """The epochs of the training, the first one first."""
        origin = self.manifest.source
        for folder in (RUNS / str(origin.run), *self.folder.parents[1:2]):
            weights = folder / origin.file
            if origin.run and weights.is_file() and sha256(weights) == origin.sha256:
                return read_history(folder)
        raise ArtifactError(f"the training run{f' {origin.run!r}' if origin.run else ''} is not beside the export")

    @cached_property
    def test_set(self) -> Split:
        """The test rows that the parity record speaks of. Nothing is fetched for it."""
        choice = self.choice or self.manifest.data.name
        source = data.named_sources().get(choice)
        if source is not None and source.locate() is None:
            raise DataUnavailableError(
                f"the test {self.rows_are} are not on this machine; 'toolkit data {choice} --fetch' gets them"
            )
        test = verify.load(self.manifest, VerifyOptions(self.choice), lambda text: None).test
        if test.sha256 != self.rows.test_set:
            raise DataError(f"the test {self.rows_are} of '{choice}' are not those that the artifacts were verified on")
        return test

    @cached_property
    def chosen(self) -> Artifact:
        """The artifact that is looked at closely: what to ship, else the smallest that passed, else the first."""
        try:
            advised = [Path(one["artifact"]).name for one in self.record.recommendations if one["fits"]]
        except ToolkitError:
            advised = []
        listed = {str(artifact.path): artifact for artifact in self.manifest.artifacts}
        passed = [artifact for artifact in listed.values() if artifact.verdict == Verdict.PASS]
        smallest = sorted(passed, key=lambda artifact: artifact.size_bytes)
        recommended = [listed[name] for name in advised if name in listed]
        return next(iter((*recommended, *smallest, *listed.values())))
