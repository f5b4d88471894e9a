"""What a report finds beside an export, and what it does not take for it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.bench import made_up
from toolkit import manifest, runs
from toolkit.data.base import make_dataset
from toolkit.errors import ArtifactError, DataError, DataUnavailableError
from toolkit.files import sha256
from toolkit.report.subject import Subject


def subject(folder, *benchmarks, **more):
    return Subject(manifest.read(folder), benchmarks, **more)


def test_the_newest_benchmark_of_these_files_is_found(shipped, benchmark, tmp_path):
    benchmark(tmp_path / "records" / "20260101-000000")
    newest = benchmark(tmp_path / "records" / "20260201-000000")
    (tmp_path / "records" / "20260301-000000").mkdir()
    made_up.saved(tmp_path / "records" / "20260301-000000", 1e-3)  # of other files
    (tmp_path / "records" / "20260401-000000").mkdir()
    (tmp_path / "records" / "20260401-000000" / "record.json").write_text("no record")
    found = subject(shipped, tmp_path / "none", tmp_path / "records").record
    assert str(found.folder) == newest.folder.name  # of a folder elsewhere
    assert [result.path.name for result in found.results] == ["mlp-int8.tflite", "mlp-float32.tflite", "mlp-int8.onnx"]


def test_a_benchmark_of_other_files_is_not_taken(shipped, benchmark, tmp_path):
    with pytest.raises(ArtifactError, match=r"was given or found; 'toolkit bench \S*mlp' makes one"):
        _ = subject(shipped, tmp_path).record
    given = made_up.record()
    with pytest.raises(ArtifactError, match="record: a benchmark of other files than those of "):
        _ = subject(shipped, given=given).record
    mixed = benchmark(tmp_path / "one")
    mixed.results.append(made_up.result(1e-3))
    assert len(subject(shipped, given=mixed).record.results) == 3


def test_times_of_an_emulated_machine_are_no_latencies(shipped, benchmark, tmp_path):
    emulated = benchmark(tmp_path / "one")
    emulated.host = replace(emulated.host, emulated=True)
    with pytest.raises(ArtifactError, match="measured on an emulated machine"):
        _ = subject(shipped, given=emulated).record


def test_the_rows_of_a_parity_record_are_those_it_was_made_of(shipped):
    rows = subject(shipped).rows
    assert len(rows.reference) == 10_000
    assert len(rows.artifacts) == 6
    (shipped / "parity.npz").write_bytes(b"others")
    with pytest.raises(ArtifactError, match=r"parity\.npz: not what .*parity\.json was made of"):
        _ = subject(shipped).rows


def test_rows_of_a_file_that_was_exported_again_are_left_out(shipped):
    found = manifest.read(shipped)
    first, *others = found.artifacts
    replace(found, artifacts=(replace(first, sha256="0" * 64), *others)).write()
    assert first.path not in subject(shipped).rows.artifacts


def test_a_record_of_other_classes_is_refused(shipped):
    found = manifest.read(shipped)
    replace(found, data=replace(found.data, classes=("one", "two"))).write()
    with pytest.raises(ArtifactError, match="speaks of 10 classes, the manifest of 2"):
        _ = subject(shipped).rows


@pytest.fixture
def run(shipped, here):
    """The run that was exported: its weights have the digest that the manifest names."""
    folder = here / "runs" / "mlp-full"
    folder.mkdir(parents=True)
    (folder / runs.BEST).write_bytes(b"weights")
    (folder / "history.csv").write_text("epoch,loss,accuracy,val_loss,val_accuracy\n1,0.5,0.9,0.6,0.8\n")
    found = manifest.read(shipped)
    source = replace(found.source, run="mlp-full", file=runs.BEST, sha256=sha256(folder / runs.BEST))
    replace(found, source=source).write()
    return folder


def test_the_history_is_that_of_the_run_with_the_exported_weights(shipped, run):
    assert [one.loss for one in subject(shipped).history] == [0.5]
    (run / runs.BEST).write_bytes(b"others")
    with pytest.raises(ArtifactError, match="the training run 'mlp-full' is not beside the export"):
        _ = subject(shipped).history


def test_an_export_within_its_run_finds_it_from_anywhere(shipped, run, tmp_path, monkeypatch):
    inside = shutil.copytree(shipped, run / "exported" / "mlp")
    monkeypatch.chdir(tmp_path)
    assert len(subject(inside).history) == 1


def test_test_images_are_not_fetched(shipped, no_mnist):
    with pytest.raises(DataUnavailableError, match="not on this machine; 'toolkit data mnist --fetch' gets them"):
        _ = subject(shipped).test_set


def test_other_test_images_are_not_shown(shipped):
    with pytest.raises(DataError, match="the test images of 'sample' are not those that the artifacts"):
        _ = subject(shipped, choice="sample").test_set


def test_the_test_images_of_the_record_are_taken_from_where_one_says(shipped, tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 28, 28), np.uint8), np.arange(40, dtype=np.uint8) % 10
    np.savez(tmp_path / "own.npz", x_train=images[:30], y_train=labels[:30], x_test=images[30:], y_test=labels[30:])
    own = make_dataset((images[:30], labels[:30], images[30:], labels[30:]), name="own", origin="tests")
    document = json.loads((shipped / "parity.json").read_text())
    document["dataset"]["sha256"] = own.test.sha256
    (shipped / "parity.json").write_text(json.dumps(document))
    found = subject(shipped, choice=str(tmp_path / "own.npz")).test_set
    np.testing.assert_array_equal(found.images[..., 0], images[30:])


def test_what_is_looked_at_closely_is_what_to_ship_else_the_smallest_that_passed(shipped, benchmark, tmp_path):
    assert subject(shipped).chosen.path == "mlp-dynamic.tflite"
    record = benchmark(tmp_path / "one", {"mlp-float32.tflite": 2, "mlp-int8.onnx": 9})
    assert subject(shipped, given=record).chosen.path == "mlp-float32.tflite"
    found = manifest.read(shipped)
    replace(found, artifacts=tuple(replace(one, verified=None) for one in found.artifacts)).write()
    assert subject(shipped).chosen.path == found.artifacts[0].path
