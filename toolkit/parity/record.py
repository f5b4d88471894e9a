"""The parity record: what a verification came to, with what was kept of every row, so that anyone can check it."""

import hashlib
import json
import os
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

from toolkit import __version__, host, locks, manifest, runtimes
from toolkit.entries import Verification
from toolkit.errors import BusyError, UsageError
from toolkit.files import atomic, documents, sha256, write_json
from toolkit.manifest import MANIFEST, Manifest
from toolkit.parity import card, checks, figures, reading
from toolkit.parity.checks import Problem
from toolkit.parity.compare import Comparison, overall
from toolkit.parity.evidence import RowFile
from toolkit.parity.reading import ARTIFACT, REFERENCE
from toolkit.parity.result import Parity, Verified
from toolkit.rebuilt import PARITY, Rebuilt
from toolkit.text import to_json

RECORD, ROWS = "parity.json", "parity.npz"
# What is rebuilt from the rows; the rest of a result describes the artifact.
_REBUILT = (*figures.NAMES, "n", "verdict", "images_to_decide", "failed_check", "problem")
# What a manifest leaves to the record.
_LONG = ("flips", "class_images", "class_accuracy", "reference_class_accuracy")


def save(part: Verified) -> Path:
    """Write the record beside the manifest, the results into the manifest, and the model card; return the record.

    UsageError if ``savable`` says no, BusyError if the folder was exported again since its manifest was read.
    """
    listed_by = savable(part)
    with locks.alone(listed_by.folder, "verify --save", otherwise="verify it then"):
        return _save(part, listed_by)


def save_all(parity: Parity) -> Parity:
    """Save the record of each part, as ``save`` does, and return the verification with them; or save none."""
    for part in parity.parts:
        savable(part)
    return replace(parity, records=tuple(save(part) for part in parity.parts))


def _save(part: Verified, listed_by: Manifest) -> Path:
    folder = listed_by.folder
    path = folder / RECORD
    results = [_told(comparison, folder) for comparison in part.comparisons]
    verified = {
        str(one["artifact"]): documents.convert(_published(one, part.dataset), Verification, path, what="a result")
        for one in results
    }
    updated = listed_by.with_verified(verified)
    # All artifacts have a result, so what an earlier verification saved meanwhile makes no difference.
    if manifest.read(folder).with_verified(verified) != updated:
        raise BusyError(f"{folder}: was exported again while it was verified; nothing is saved; verify it again")
    _write_rows(folder / ROWS, part)
    document = {
        "schema": reading.SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": listed_by.model,
        "classes": part.expected.classes,
        "dataset": part.dataset,
        "reference": documents.to_tree(listed_by.reference),
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
    write_json(path, {**document, "sha256": _digest(document)})
    updated.write()
    card.write(updated)
    return path


def _told(comparison: Comparison, folder: Path) -> dict[str, Any]:
    """Return a result as the record has it, which may be passed on: of files it tells the names alone."""
    document = comparison.to_json()
    problem = document["problem"]
    return {
        **document,
        "artifact": Path(comparison.artifact).name,
        "problem": problem and problem.replace(f"{folder}{os.sep}", ""),
    }


def savable(part: Verified) -> Manifest:
    """Return the manifest that gets the results; UsageError for results that would replace better ones.

    By golden: they show that outputs are the same elsewhere, not accuracy. Of a part of the artifacts: a record is of a
    whole folder.
    """
    if part.manifest is None:
        raise UsageError(f"no manifest lists what was compared with {part.reference}; leave out --save")
    folder = part.manifest.folder
    if part.by_golden:
        raise UsageError(f"{folder}: results by golden measure no accuracy and are not saved; verify on the test set")
    verified = {Path(comparison.artifact).name for comparison in part.comparisons}
    if left_out := [artifact.path for artifact in part.manifest.artifacts if artifact.path not in verified]:
        raise UsageError(f"{folder}: a record is of a whole folder; {', '.join(left_out)} would be left out")
    return part.manifest


def recompute(path: Path) -> Rebuilt:
    """Rebuild every figure of a record from what it kept of every row, and name each that differs.

    The manifest, the model card and the artifacts beside the record, if they are there, are compared with it as well.
    Raises ArtifactError if the file is no record.
    """
    text, document = reading.read(path)
    differences = []
    if to_json(document).encode() != text:
        differences.append(f"{path} was edited: its layout is not the one that toolkit writes")
    if document["sha256"] != _digest({key: value for key, value in document.items() if key != "sha256"}):
        differences.append(f"{path} was edited: it does not have the SHA-256 that it names")
    rows = path.parent / document["rows"]["path"]
    if rows.is_symlink() or not rows.is_file() or sha256(rows) != document["rows"]["sha256"]:
        differences.append(f"{rows} is missing or was changed: it does not have the SHA-256 that the record names")
        return Rebuilt(path, PARITY, len(document["results"]), 0, 0, tuple(differences))
    tables = reading.read_rows(rows, document["classes"])
    count, within = _differences_within(document, tables)
    differences += within + _differences_beside(path.parent, document)
    return Rebuilt(path, PARITY, len(document["results"]), len(tables[REFERENCE]), count, tuple(differences))


def _differences_within(document: dict[str, Any], tables: dict[str, RowFile]) -> tuple[int, list[str]]:
    """Return how many figures were rebuilt, and those that are not what the rows say."""
    rebuilt = [_rebuild(result, tables, document["classes"]) for result in document["results"]]
    pairs = [
        (result, name, value)
        for result, comparison in zip(document["results"], rebuilt, strict=True)
        for name, value in comparison.to_json().items()
        if name in _REBUILT
    ]
    differences = [
        f"{result['artifact']}: {name} is {result.get(name)}, its rows say {value}"
        for result, name, value in pairs
        if result.get(name) != value
    ]
    if document["verdict"] != overall(rebuilt):
        differences.append(f"the verdict is {document['verdict']}, the results say {overall(rebuilt)}")
    return len(pairs), differences


def _rebuild(result: dict[str, Any], tables: dict[str, RowFile], classes: int) -> Comparison:
    """Return the comparison that a result describes, its figures computed again, and the checks that rest on them.

    What other checks found (a file that was changed, say) is in no row and is taken as it is.
    """
    table = tables.get(ARTIFACT + str(result["artifact"]))
    reference = tables[REFERENCE]
    measured = figures.compute(reference, table, classes=classes) if table else None
    problem = Problem(result["failed_check"], result["problem"]) if result["problem"] else None
    rounds = result.get("reference_rounds", False)
    if measured is not None and (problem is None or problem.check in checks.OF_FIGURES):
        problem = checks.check_outputs(str(result["quantization"]), measured, reference_rounds=rounds)
    taken = ("artifact", "runtime", "format", "quantization", "sha256", "margin_pp")
    return Comparison(
        **{name: result[name] for name in taken},
        n=len(reference),
        figures=measured,
        problem=problem,
        reference_rounds=rounds,
    )


def _differences_beside(folder: Path, document: dict[str, Any]) -> list[str]:
    """Compare the files of the folder with its record: artifacts, reference, results in the manifest, model card.

    A record without a manifest beside it has no files to be compared with.
    """
    if not (folder / MANIFEST).is_file():
        return []
    named = {result["artifact"]: result["sha256"] for result in document["results"]}
    changed = {result["artifact"] for result in document["results"] if result["failed_check"] == checks.DIGEST}
    files = {**named, document["reference"]["path"]: document["reference"]["sha256"]}
    differences = [
        f"{folder / name} is not the file that was verified"
        for name, digest in files.items()
        if name not in changed and not _is(folder / name, digest)
    ]
    beside = manifest.read(folder)
    listed = {artifact.path: documents.to_tree(artifact.verified) for artifact in beside.artifacts}
    differences += [
        f"{folder / MANIFEST} has a result of {path} that the record does not have"
        for path, verified in listed.items()
        if verified and path not in named
    ]
    differences += [
        f"{folder / MANIFEST} says of {result['artifact']} what the record does not"
        for result in document["results"]
        if listed.get(result["artifact"]) != _published(result, document["dataset"])
    ]
    page = folder / card.CARD
    if page.is_file() and not _is(page, _sha256_of(card.render(beside))):
        differences.append(f"{page} is not the card that the manifest gives")
    return differences


def _is(file: Path, digest: str) -> bool:
    return not file.is_symlink() and file.is_file() and sha256(file) == digest


def _published(result: dict[str, Any], dataset: dict[str, Any]) -> dict[str, Any]:
    return {"dataset": dataset, **{name: value for name, value in result.items() if name not in _LONG}}


def _write_rows(path: Path, part: Verified) -> None:
    """Write the tables as the arrays of an ``.npz``, some rows at a time."""
    tables = {REFERENCE: part.expected.table}
    tables |= {ARTIFACT + Path(c.artifact).name: c.table for c in part.comparisons if c.table is not None}
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


def _digest(document: dict[str, Any]) -> str:
    return _sha256_of(json.dumps(document, sort_keys=True, ensure_ascii=False))


def _sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
