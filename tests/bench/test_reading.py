"""Samples of a benchmark that are none, or too many."""

import numpy as np
import pytest

from tests.fuzz import made
from toolkit import host
from toolkit.bench.record import read
from toolkit.errors import ArtifactError


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"invoke_s": np.zeros(10), "invoke_lengths": np.full((2, 5), 1)}, "what is no latency"),
        ({"invoke_s": np.full(10, np.nan), "invoke_lengths": np.full((2, 5), 1)}, "what is no latency"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.full((2, 5), 2)}, "add up to 20, there are 10"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.full((2, 5), -1)}, "no lengths of blocks"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.zeros((0, 5), np.int64)}, "no lengths of blocks"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.ones(10)}, "'invoke_lengths' is float64"),
        ({}, "lacks invoke_s"),
    ],
)
def test_samples_that_are_none_are_refused(tmp_path, arrays, message):
    made.benchmark(tmp_path)
    np.savez_compressed(tmp_path / "s.npz", **arrays)
    with pytest.raises(ArtifactError, match=rf"s\.npz: cannot be read as the samples of a benchmark: .*{message}"):
        read(tmp_path)


def test_more_blocks_than_a_bootstrap_can_hold_are_refused(tmp_path, monkeypatch):
    made.benchmark(tmp_path)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 1_000_000)
    with pytest.raises(ArtifactError, match=r"s\.npz: a bootstrap of it needs 1,600,000 bytes"):
        read(tmp_path)


def test_more_samples_than_can_be_sorted_are_refused_before_they_are_read(tmp_path, monkeypatch):
    made.benchmark(tmp_path)
    np.savez_compressed(tmp_path / "s.npz", invoke_s=np.ones(100_000), invoke_lengths=np.array([[100_000]]))
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 4_000_000)
    with pytest.raises(ArtifactError, match=r"s\.npz: sorting its 100,000 samples of invoke needs 3,200,000 bytes"):
        read(tmp_path)
