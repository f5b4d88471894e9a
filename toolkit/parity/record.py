"""The parity record: what a verification came to, with what was kept of every image, so that anyone can check it."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

from toolkit import __version__, host, locks, manifest, runtimes
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import atomic, sha256, write_json
from toolkit.manifest import MANIFEST
from toolkit.parity import card, checks, figures
from toolkit.parity.checks import Problem
from toolkit.parity.compare import Comparison, overall
from toolkit.parity.evidence import CANDIDATE_ROW, REFERENCE_ROW, Table
from toolkit.parity.verify import Verified
from toolkit.text import to_json

RECORD, ROWS = "parity.json", "parity.npz"
SCHEMA = 1
_REFERENCE, _ARTIFACT = "reference", "artifact/"
# What is rebuilt from the images; the rest of a result describes the artifact.
_REBUILT = (*figures.NAMES, "n", "verdict", "images_to_decide", "failed_check", "problem")
# What a manifest leaves to the record.
_LONG = ("flips", "class_images", "class_accuracy", "reference_class_accuracy")


def save(part: Verified) -> Path:
    """Write the record beside the manifest, the results into the manifest, and the model card; return the record.

    UsageError where ``check_savable`` says no.
    """
    check_savable(part)
    with locks.alone(part.manifest.folder, "verify --save", otherwise="verify it then"):
        return _save(part)


def _save(part: Verified) -> Path:
    folder = part.manifest.folder
    results = [{**c.to_json(), "artifact": Path(c.artifact).name} for c in part.comparisons]
    _write_rows(folder / ROWS, part)
    document = {
        "schema": SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": part.manifest.model,
        "classes": part.shown.classes,
        "dataset": part.dataset,
        "reference": part.manifest.reference,
        "results": results,
        "verdict": overall(part.comparisons),
        "versions": {
            "toolkit": __version__,
            "python": python_version(),
            "numpy": np.__version__,
            **runtimes.versions(),
        },
        "host": host.describe().to_json(),
        "rows": {"path": ROWS, "sha256": sha256(folder / ROWS)},
    }
    path = folder / RECORD
    write_json(path, {**document, "sha256": _digest(document)})
    updated = part.manifest.with_verified({str(r["artifact"]): _published(r, part.dataset) for r in results})
    updated.write()
    card.write(updated)
    return path


def check_savable(part: Verified) -> None:
    """Raise UsageError for results that would replace better ones.

    By golden: they show that outputs are the same elsewhere, not accuracy. Of a part of the artifacts: a record is of a
    whole folder.
    """
    folder = part.manifest.folder
    if part.by_golden:
        raise UsageError(f"{folder}: results by golden measure no accuracy and are not saved; verify on the test set")
    verified = {Path(comparison.artifact).name for comparison in part.comparisons}
    if left_out := [artifact.path for artifact in part.manifest.artifacts if artifact.path not in verified]:
        raise UsageError(f"{folder}: a record is of a whole folder; {', '.join(left_out)} would be left out")


@dataclass(frozen=True)
class Recomputed:
    """What a record holds once it was rebuilt from its images: ``differences`` is empty where it is what it says."""

    path: Path
    images: int
    artifacts: int
    figures: int
    differences: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of ``toolkit verify --recompute``."""
        return {
            "schema": 1,
            "command": "verify",
            "record": str(self.path),
            "n": self.images,
            "artifacts": self.artifacts,
            "figures": self.figures,
            "differences": list(self.differences),
            "verdict": "fail" if self.differences else "pass",
        }


def recompute(path: Path) -> Recomputed:
    """Rebuild every figure of a record from what it kept of every image, and name each that differs.

    The manifest, the model card and the artifacts beside the record, where they are there, are held against it as well.
    Raises ArtifactError where the file is no record.
    """
    text, document = _read(path)
    differences = []
    if not _is_as_written(text, document):
        differences.append(f"{path} was edited: its layout is not the one that toolkit writes")
    if document["sha256"] != _digest({key: value for key, value in document.items() if key != "sha256"}):
        differences.append(f"{path} was edited: it does not have the SHA-256 that it names")
    rows = path.parent / str(document["rows"]["path"])
    if not rows.is_file() or sha256(rows) != document["rows"]["sha256"]:
        differences.append(f"{rows} is missing or was changed: it does not have the SHA-256 that the record names")
        return Recomputed(path, 0, len(document["results"]), 0, tuple(differences))
    tables = _read_rows(rows)
    try:
        count, found = _differences_within(document, tables)
        found += _differences_beside(path.parent, document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"{path}: not a parity record that can be rebuilt ({error!r})") from error
    differences += found
    return Recomputed(path, len(tables[_REFERENCE]), len(document["results"]), count, tuple(differences))


def _differences_within(document: dict[str, Any], tables: dict[str, Table]) -> tuple[int, list[str]]:
    """Return how many figures were rebuilt, and those that are not what the images say."""
    rebuilt = [_rebuild(result, tables, int(document["classes"])) for result in document["results"]]
    pairs = [
        (result, name, value)
        for result, comparison in zip(document["results"], rebuilt, strict=True)
        for name, value in comparison.to_json().items()
        if name in _REBUILT
    ]
    found = [
        f"{result['artifact']}: {name} is {result.get(name)}, its images say {value}"
        for result, name, value in pairs
        if result.get(name) != value
    ]
    if document["verdict"] != overall(rebuilt):
        found.append(f"the verdict is {document['verdict']}, the results say {overall(rebuilt)}")
    return len(pairs), found


def _rebuild(result: dict[str, Any], tables: dict[str, Table], classes: int) -> Comparison:
    """Return the comparison that a result describes, its figures computed again, and the checks that rest on them.

    What other checks found (a file that was changed, say) is in no image and is taken as it is.
    """
    table = tables.get(_ARTIFACT + str(result["artifact"]))
    reference = tables[_REFERENCE]
    found = figures.compute(reference, table, classes=classes) if table else None
    problem = Problem(result["failed_check"], result["problem"]) if result["problem"] else None
    if found is not None and (problem is None or problem.check in checks.OF_FIGURES):
        problem = checks.of_outputs(str(result["quantization"]), found)
    taken = ("artifact", "runtime", "format", "quantization", "sha256", "margin_pp")
    return Comparison(
        **{name: result[name] for name in taken},
        n=len(reference),
        figures=found,
        problem=problem,
    )


def _differences_beside(folder: Path, document: dict[str, Any]) -> list[str]:
    """Hold the files of the folder against its record: artifacts, reference, results in the manifest, model card.

    A record by itself, without a manifest beside it, has nothing to be held against.
    """
    if not (folder / MANIFEST).is_file():
        return []
    named = {result["artifact"]: result["sha256"] for result in document["results"]}
    changed = {result["artifact"] for result in document["results"] if result["failed_check"] == checks.DIGEST}
    files = {**named, document["reference"]["path"]: document["reference"]["sha256"]}
    found = [
        f"{folder / name} is not the file that was verified"
        for name, digest in files.items()
        if name not in changed and (not (folder / name).is_file() or sha256(folder / name) != digest)
    ]
    beside = manifest.read(folder)
    listed = {artifact.path: artifact.verified for artifact in beside.artifacts}
    found += [
        f"{folder / MANIFEST} has a result of {path} that the record does not have"
        for path, verified in listed.items()
        if verified and path not in named
    ]
    found += [
        f"{folder / MANIFEST} says of {result['artifact']} what the record does not"
        for result in document["results"]
        if listed.get(result["artifact"]) != _published(result, document["dataset"])
    ]
    if (folder / card.CARD).is_file() and (folder / card.CARD).read_text(encoding="utf-8") != card.render(beside):
        found.append(f"{folder / card.CARD} is not the card that the manifest gives")
    return found


def _published(result: dict[str, Any], dataset: dict[str, Any]) -> dict[str, Any]:
    """Return what a manifest says of a result."""
    return {"dataset": dataset, **{name: value for name, value in result.items() if name not in _LONG}}


def _write_rows(path: Path, part: Verified) -> None:
    """Write the tables as the arrays of an ``.npz``, some rows at a time."""
    tables = {_REFERENCE: part.shown.table}
    tables |= {_ARTIFACT + Path(c.artifact).name: c.table for c in part.comparisons if c.table is not None}
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, table in tables.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # its fixed time lets the same rows give the same bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                descr = np.lib.format.dtype_to_descr(table.dtype)
                header = {"descr": descr, "fortran_order": False, "shape": (len(table),)}
                np.lib.format.write_array_header_1_0(member, header)
                for rows in table.chunks():
                    member.write(rows.tobytes())


def _read_rows(path: Path) -> dict[str, Table]:
    tables = {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                table = Table(REFERENCE_ROW if name == _REFERENCE else CANDIDATE_ROW)
                table.append(arrays[name])
                tables[name] = table
        if not len(tables[_REFERENCE]):
            raise ValueError("no rows")
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path}: cannot be read as the rows of a parity record: {error}") from error
    return tables


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text)
        if document["schema"] != SCHEMA or not {"results", "rows", "sha256", "classes", "reference"} <= document.keys():
            raise ArtifactError(f"{path}: not a parity record that this toolkit reads")
        if not document["results"]:
            raise ArtifactError(f"{path}: not a parity record, it has no results")
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: no such file; 'toolkit verify --save' writes {RECORD}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path}: not a parity record ({error})") from error
    return text, document


def _is_as_written(text: str, document: dict[str, Any]) -> bool:
    try:
        return to_json(document) == text
    except ValueError:  # a figure that is no number, which JSON does not have
        return False


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
