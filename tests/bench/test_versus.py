"""Two files side by side: what is said of them, by made-up processes."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit import host
from toolkit.bench import alternating
from toolkit.bench.alternating import Alternated
from toolkit.bench.candidates import Candidate, select
from toolkit.bench.configuration import Configuration
from toolkit.bench.plan import Plan
from toolkit.bench.versus import Versus, versus
from toolkit.errors import ArtifactError, UsageError
from toolkit.manifest import TensorSpec

IMAGE = (TensorSpec("image", (1, 8, 8, 1), "float32"),)
BYTES = (TensorSpec("pixels", (1, 8, 8, 1), "uint8"),)


def versus_of(
    slower,
    *,
    inputs=(IMAGE, IMAGE),
    runtimes=("litert", "litert"),
    remarks=(None, None),
    tolerance=0.05,
    spread=1e-4,
):
    """Build one of two files of which the second is slower by a share, in some processes by the spread more or less."""
    reference, candidate = (
        Configuration(Candidate(Path(f"{name}.{runtime}"), runtime, None), 1, 1)
        for name, runtime in zip("ab", runtimes, strict=True)
    )
    blocks = [np.tile([1e-4, 1e-4 * (1 + slower + step)], (20, 1)) for step in (-spread, 0.0, 0.0, spread)]
    return Versus(reference, candidate, tuple(Alternated(one, inputs, remarks) for one in blocks), tolerance)


@pytest.mark.parametrize(
    ("slower", "word", "passed"), [(0.0, "indistinguishable", True), (0.04, "slower", True), (0.1, "slower", False)]
)
def test_a_candidate_that_is_surely_slower_than_tolerated_fails(slower, word, passed):
    found = versus_of(slower)
    assert (found.verdict, bool(found)) == (word, passed)
    (told,) = found.to_json()["compared"]
    assert (told["verdict"], told["within"]) == (word, passed)
    assert told["candidate_median_s"] == pytest.approx(1e-4 * (1 + slower))
    assert told["paired"] == {"processes": 4, "pairs": 80}
    assert found.to_json()["verdict"] == ("pass" if passed else "fail")


def test_different_inputs_runtimes_and_ways_of_opening_are_told():
    found = versus_of(0.0, inputs=(IMAGE, BYTES), runtimes=("litert", "onnxruntime"), remarks=(None, "opened slowly"))
    assert (found.same_inputs, found.one_process) == (False, False)
    assert found.remarks == ["b.onnxruntime: opened slowly"]
    free = (TensorSpec("image", (None, 8, 8, 1), "float32"),)
    assert versus_of(0.0, inputs=(IMAGE, free)).same_inputs
    alike = versus_of(0.0)
    assert (alike.same_inputs, alike.one_process, alike.remarks) == (True, True, [])


def test_files_that_are_the_same_by_digest_are_not_timed(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(alternating, "twice", lambda *_, **__: pytest.fail("was timed"))
    copy = Path(shutil.copy(exported / "cnn-int8.tflite", tmp_path / "other.tflite"))
    found = versus(select([exported / "cnn-int8.tflite", copy], warn=pytest.fail), Plan())
    assert found
    (told,) = found.to_json()["compared"]
    assert (told["same_file"], told["speedup"], told["verdict"]) == (True, None, "indistinguishable")


@pytest.mark.slow
def test_two_files_are_timed_in_two_processes_a_round(exported):
    files = select([exported / "cnn-float32.tflite", exported / "cnn-int8.tflite"], warn=pytest.fail)
    steps = []
    found = versus(files, Plan(seconds=0.01, processes=1), on_step=steps.append)
    assert len(found.pairs.lengths) == 2
    assert [step.total for step in steps] == [1]
    assert not found.same_inputs  # float32 and int8


def test_nonsense_and_emulation_are_refused(exported, monkeypatch):
    files = select([exported / "cnn-float32.tflite", exported / "cnn-int8.tflite"], warn=pytest.fail)
    with pytest.raises(UsageError, match="it must be from 0 to 100,000"):
        versus(files, Plan(), tolerance=-0.1)
    emulated = replace(host.describe(), emulated=True)
    monkeypatch.setattr(host, "describe", lambda: emulated)
    with pytest.raises(ArtifactError, match="this machine is emulated"):
        versus(files, Plan())
