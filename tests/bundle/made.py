"""Bundles of an export."""

from toolkit import archive, manifest
from toolkit.bundle.make import make


def artifact(folder, name):
    found = manifest.read(folder)
    return found, next(entry for entry in found.artifacts if entry.path == name)


def bundle_of(folder, name, path):
    found, chosen = artifact(folder, name)
    return make(found, chosen, path)


def unpacked(bundle, folder):
    assert archive.unpack(bundle.path, folder) == []
    return folder / bundle.name
