"""Bundles."""

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import manifest
from toolkit.bundle.check import check
from toolkit.bundle.make import make


def _prepare(folder):
    source = folder / "exported"
    source.mkdir()
    made.artifacts(source)
    found = manifest.read(source)
    return [make(found, found.artifacts[0], folder / "bundle.zip").path]


def _read(folder):
    check(folder / "bundle.zip")


TARGETS = {"bundle": Target(400, _prepare, _read, changes.as_zip)}
