"""Bundles that were changed, damaged or made by somebody else."""

import hashlib
import zipfile

import pytest

from toolkit import archive
from toolkit.bundle.check import check
from toolkit.errors import ArtifactError


def test_a_sound_bundle_passes(bundle):
    checked = check(bundle.path)
    assert checked.problems == ()
    assert checked.digests == bundle.digests


def repack(bundle, change):
    """Write the bundle again with other entries: ``change`` edits {name: content}."""
    with zipfile.ZipFile(bundle.path) as packed:
        entries = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
    change(entries)
    archive.pack(bundle.path, {f"{bundle.name}/{name}": content for name, content in entries.items()})


def resummed(entries, name, content):
    """Change a file and its line of SHA256SUMS alike."""
    old, new = (hashlib.sha256(one).hexdigest().encode() for one in (entries[name], content))
    entries |= {name: content, "SHA256SUMS": entries["SHA256SUMS"].replace(old, new)}


CHANGES = {
    "changed": (
        lambda files: files.update({"classify.py": b"print('hello')\n"}),
        "classify.py: changed, its SHA-256 is not the one of SHA256SUMS",
    ),
    "added": (lambda files: files.update({"sub/extra.py": b""}), "sub/extra.py: not listed in SHA256SUMS"),
    "removed": (lambda files: files.pop("classify.py"), "classify.py: listed in SHA256SUMS but missing"),
    "another artifact": (
        lambda files: resummed(files, "cnn-int8.tflite", b"other"),
        "cnn-int8.tflite: changed since it was exported (its SHA-256 is not the manifest's); export the model again",
    ),
    "no manifest": (
        lambda files: resummed(files, "manifest.json", b"{}"),
        "manifest.json: has schema None, this toolkit reads 1; export again",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_bundle_fails_and_says_what_changed(bundle, case):
    change, problem = CHANGES[case]
    repack(bundle, change)
    assert check(bundle.path).problems == (problem,)


def test_a_bundle_with_a_changed_byte_does_not_pass(bundle):
    """Of the files, of the headers, of the directory, and behind the end."""
    content = bundle.path.read_bytes()
    positions = [4, 10, 14, content.index(b"PK\3\4", 4) + 12, content.index(b"TFL3"), content.rindex(b"PK\1\2") + 4]
    attempts = [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in (*positions, len(content) - 3)]
    for attempt in (*attempts, content + b"\0", b"#!/bin/sh\n" + content):
        bundle.path.write_bytes(attempt)
        try:
            assert check(bundle.path).problems
        except ArtifactError:
            continue


@pytest.mark.parametrize("content", [b"", b"not a bundle", b"PK\5\6" + bytes(18)])
def test_what_is_no_bundle_is_refused(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"x\.zip: (not a (whole archive|bundle)|an empty file)"):
        check(tmp_path / "x.zip")


def test_a_hostile_bundle_leaves_no_file_behind(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with zipfile.ZipFile(bundle.path, "a") as packed:
        packed.writestr(f"{bundle.name}/../../../escaped", b"")
    with pytest.raises(ArtifactError, match="refused, nothing was unpacked"):
        check(bundle.path)
    assert [path.name for path in tmp_path.rglob("*escaped*")] == []
