"""What is kept of every image, and the figures that are made from it alone."""

import numpy as np
import pytest

from toolkit.parity import evidence, figures
from toolkit.parity.evidence import CANDIDATE_ROW, REFERENCE_ROW, RowFile, candidate_rows, reference_rows
from toolkit.parity.figures import Flip


def tables(outputs, reference, labels):
    reference_file, candidate_file = RowFile(REFERENCE_ROW), RowFile(CANDIDATE_ROW)
    reference_file.append(reference_rows(np.float32(reference), np.asarray(labels)))
    candidate_file.append(candidate_rows(np.float32(outputs), np.float32(reference)))
    return reference_file, candidate_file


def random_outputs(n, classes, seed):
    rng = np.random.default_rng(seed)
    raw = rng.random((n, classes)) ** 4
    return (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32), rng.integers(0, classes, n)


def test_a_table_gives_back_its_rows_in_chunks(monkeypatch):
    monkeypatch.setattr(evidence, "CHUNK_ROWS", 7)
    outputs, labels = random_outputs(30, 4, 0)
    rows = reference_rows(outputs, labels)
    table = RowFile(REFERENCE_ROW)
    for start in range(0, 30, 11):
        table.append(rows[start : start + 11])
    assert len(table) == 30
    assert [len(chunk) for chunk in table.chunks()] == [7, 7, 7, 7, 2]
    assert np.array_equal(np.concatenate(list(table.chunks())), rows)


@pytest.mark.slow
def test_the_divergence_is_scipy_s():
    from scipy.stats import entropy  # type: ignore[import-untyped]

    reference, _ = random_outputs(200, 10, 1)
    outputs, _ = random_outputs(200, 10, 2)
    outputs[3] = 0
    outputs[3, 4] = 1  # an int8 output that is all or nothing
    rows = candidate_rows(outputs, reference)
    expected = entropy(np.maximum(reference, 1e-7), np.maximum(outputs.astype(float), 1e-7), axis=1)
    assert np.allclose(rows["kl"], expected, rtol=1e-4, atol=1e-7)
    assert np.isfinite(rows["kl"]).all()
    assert candidate_rows(reference, reference)["kl"].max() == 0


def test_an_int8_output_is_not_blamed_for_what_it_cannot_resolve():
    reference = np.array([[0.9975, 0.0015, 0.001]], np.float32)
    rounded = np.array([[255 / 256, 0, 0]], np.float32)
    assert candidate_rows(rounded, reference)["kl"][0] > 0.01
    assert candidate_rows(rounded, reference, step=1 / 256)["kl"][0] < 1e-4


def test_every_kind_of_change_is_counted_and_listed():
    reference = [[0.8, 0.2, 0], [0.8, 0.2, 0], [0.8, 0.2, 0], [0.5002, 0.4998, 0]]
    outputs = [[0.8, 0.2, 0], [0.2, 0.8, 0], [0.2, 0, 0.8], [0.4998, 0.5002, 0]]
    found = figures.compute(*tables(outputs, reference, [0, 1, 1, 0]), classes=3)
    assert (found.n, found.reference_correct, found.lost, found.gained, found.changed) == (4, 2, 1, 1, 3)
    assert found.clear_changes == 2  # the last image's two best classes were level
    assert found.flips == (Flip(1, 1, 0, 1), Flip(2, 1, 0, 2), Flip(3, 0, 0, 1))
    assert (found.class_images, found.class_correct, found.reference_class_correct) == ((2, 2, 0), (1, 1, 0), (2, 0, 0))
    assert found.to_json()["class_accuracy"] == [0.5, 0.5, None]
    assert found.max_abs_error == pytest.approx(0.8)


def test_the_calibration_error_by_hand():
    """Two images at confidence 0.9, one right: a gap of 0.4. Two at 0.6, both right: a gap of 0.4."""
    outputs = [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]
    found = figures.compute(*tables(outputs, outputs, [0, 1, 0, 0]), classes=2)
    assert found.calibration_error == found.reference_calibration_error == pytest.approx(0.4)


def test_the_figures_do_not_depend_on_how_the_rows_came(monkeypatch):
    reference, labels = random_outputs(1000, 10, 3)
    outputs, _ = random_outputs(1000, 10, 4)
    whole = figures.compute(*tables(outputs, reference, labels), classes=10)
    reference_file, candidate_file = RowFile(REFERENCE_ROW), RowFile(CANDIDATE_ROW)
    for rows in np.array_split(np.arange(1000), 13):
        reference_file.append(reference_rows(reference[rows], labels[rows]))
        candidate_file.append(candidate_rows(outputs[rows], reference[rows]))
    assert figures.compute(reference_file, candidate_file, classes=10) == whole
    monkeypatch.setattr(evidence, "CHUNK_ROWS", 100)
    chunked = figures.compute(reference_file, candidate_file, classes=10)
    assert (chunked.lost, chunked.changed, chunked.flips) == (whole.lost, whole.changed, whole.flips)
    assert chunked.kl_mean == pytest.approx(whole.kl_mean)


def test_a_long_list_of_flips_is_cut_and_the_count_is_not(monkeypatch):
    monkeypatch.setattr(figures, "LISTED_FLIPS", 5)
    reference = np.tile([[0.9, 0.1]], (20, 1))
    found = figures.compute(*tables(1 - reference, reference, np.zeros(20, int)), classes=2)
    assert (found.changed, [flip.index for flip in found.flips]) == (20, [0, 1, 2, 3, 4])
