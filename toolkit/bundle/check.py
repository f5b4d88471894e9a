"""Check a bundle: that it can be unpacked safely, and that every file in it is the one that was packed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import archive, locks
from toolkit import manifest as manifests
from toolkit.errors import ArtifactError
from toolkit.files import sha256, sums
from toolkit.files.sums import SUMS
from toolkit.verdict import Verdict


@dataclass(frozen=True)
class Checked:
    """A bundle that was checked; true if it is sound.

    digests: SHA-256 by file name, as they are. problems: a sentence for each file that is not the one that was packed.
    """

    path: Path
    digests: dict[str, str]
    problems: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """FAIL if there is a problem."""
        return Verdict.from_passed(not self.problems)

    def __bool__(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit check-bundle --json``."""
        return {
            "schema": 1,
            "command": "check-bundle",
            "bundle": str(self.path),
            "files": self.digests,
            "problems": list(self.problems),
            "verdict": self.verdict,
        }


def check(path: Path) -> Checked:
    """Unpack a bundle into a scratch folder and compare its files with its digests and its manifest.

    ArtifactError if it is no bundle, or one that could leave its folder. Digests show damage; they do not show who
    made the bundle.
    """
    with locks.scratch() as scratch:
        work = scratch / "files"
        work.mkdir()
        if damaged := archive.unpack(path, work):
            return Checked(path, {}, tuple(f"{name}: its bytes are damaged" for name in damaged))
        folders = list(work.iterdir())
        if len(folders) != 1 or not (folders[0] / SUMS).is_file():
            raise ArtifactError(f"{path}: not a bundle, it has no {SUMS}; 'toolkit bundle' makes one")
        (folder,) = folders
        files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
        digests = {name: sha256(file) for name, file in files.items() if name != SUMS}
        problems = _compare(digests, sums.read(folder)) or _check_manifest(folder)
        if not problems:
            packed = scratch / "packed"
            archive.pack(packed, {f"{folder.name}/{name}": file.read_bytes() for name, file in files.items()})
            if sha256(packed) != sha256(path):
                problems = ["its files are whole, but it is not the archive that toolkit packs of them"]
    return Checked(path, digests, tuple(problems))


def _compare(digests: dict[str, str], listed: dict[str, str]) -> list[str]:
    """Return how the files, by their digests, differ from those that are listed."""
    problems = [f"{name}: listed in {SUMS} but missing" for name in sorted(listed.keys() - digests.keys())]
    for name, digest in digests.items():
        if name not in listed:
            problems.append(f"{name}: not listed in {SUMS}")
        elif digest != listed[name]:
            problems.append(f"{name}: changed, its SHA-256 is not the one of {SUMS}")
    return problems


def _check_manifest(folder: Path) -> list[str]:
    """Return what the manifest says of artifact and golden that the files do not."""
    try:
        manifest = manifests.read(folder)
        entries = [entry for entry in (manifest.golden, manifest.novelty, *manifest.artifacts) if entry]
        problems = [manifest.check_digest(entry) for entry in entries]
    except ArtifactError as error:
        problems = [str(error)]
    return [problem.replace(f"{folder}/", "") for problem in problems if problem]
