"""Whether an artifact answers here as its golden recorded: what speaks against it, and when nothing does."""

from dataclasses import replace

import numpy as np
import pytest

from toolkit import golden, manifest
from toolkit.files import sha256
from toolkit.parity import recorded
from toolkit.worker.session import contained

INT8 = "cnn-int8.tflite"


def with_golden(folder, change):
    """Return the manifest, and the artifact, of a folder whose golden holds other outputs and has the right digest."""
    found = manifest.read(folder)
    record = golden.read(found.golden_path)
    replace(record, recorded=change(record.recorded)).write(found.golden_path)
    found = replace(found, golden=replace(found.golden, sha256=sha256(found.golden_path)))
    return found, next(artifact for artifact in found.artifacts if artifact.path == INT8)


def turned(outputs):
    return {name: np.roll(rows, 1, axis=1) for name, rows in outputs.items()}


@pytest.mark.parametrize("images", [None, 5])
def test_an_artifact_that_answers_as_recorded_has_no_problem(exported, images):
    found, artifact = with_golden(exported, dict)
    assert recorded.problem(found, artifact, images=images) is None


@pytest.mark.parametrize(("images", "flips"), [(None, "90 of 90"), (5, "5 of 5")])
def test_predictions_that_differ_from_the_recorded_ones_are_counted(exported, images, flips):
    found, artifact = with_golden(exported, turned)
    assert f"{flips} predictions" in recorded.problem(found, artifact, images=images)


def test_a_golden_that_is_missing_or_does_not_know_the_artifact_holds_nothing(exported):
    found, artifact = with_golden(exported, lambda outputs: {})
    assert recorded.problem(found, artifact) is None
    found.golden_path.unlink()
    assert recorded.problem(found, artifact) is None


def test_a_golden_that_was_changed_or_damaged_is_what_is_said(exported):
    found, artifact = with_golden(exported, turned)
    before = manifest.read(exported)  # its digest is of the golden that was exported
    assert "changed since it was exported" in recorded.problem(before, artifact)
    found.golden_path.write_bytes(b"no golden")
    found = replace(found, golden=replace(found.golden, sha256=sha256(found.golden_path)))
    with contained() as workers:
        assert str(found.golden_path) in recorded.divergence_here(found, artifact, workers)


def test_a_worker_compares_with_the_golden_as_this_process_does(exported):
    with contained() as workers:
        found, artifact = with_golden(exported, dict)
        assert recorded.divergence_here(found, artifact, workers) is None
        found, artifact = with_golden(exported, turned)
        assert "90 of 90 predictions" in recorded.divergence_here(found, artifact, workers)
