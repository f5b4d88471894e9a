"""The rule of the verdict, and what fails whatever the accuracy."""

import numpy as np
import pytest

from toolkit import manifest
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.parity import compare as module
from toolkit.parity.compare import Comparison, compare, overall


def comparison(**figures) -> Comparison:
    described = {"artifact": "a", "runtime": "r", "format": "f", "quantization": "int8", "margin_pp": 0.5}
    return Comparison(**{**described, "n": 10_000, "reference_correct": 9_900, "max_abs_error": 0.0, **figures})


@pytest.mark.parametrize(
    ("lost", "gained", "verdict"),
    [(0, 0, "pass"), (20, 10, "pass"), (45, 0, "inconclusive"), (50, 0, "inconclusive"), (80, 0, "fail")],
)
def test_the_verdict_is_non_inferiority(lost, gained, verdict):
    judged = comparison(lost=lost, gained=gained)
    assert judged.verdict == verdict
    assert judged.accuracy == (9_900 - lost + gained) / 10_000
    assert judged.loss_pp == pytest.approx((lost - gained) / 100)


def test_a_few_images_cannot_pass():
    assert comparison(n=100, reference_correct=99, lost=0, gained=0).verdict == "inconclusive"


def test_a_problem_fails_whatever_the_accuracy():
    assert comparison(lost=0, gained=0, problem="changed").verdict == "fail"
    assert comparison(problem="gone").to_json()["accuracy"] is None


def test_the_worst_verdict_counts():
    ok, unsure, bad = comparison(lost=0, gained=0), comparison(lost=45, gained=0), comparison(problem="x")
    assert overall([ok]) == "pass"
    assert overall([ok, unsure]) == "inconclusive"
    assert overall([ok, unsure, bad]) == "fail"


class Fake:
    """A session that answers what it is told."""

    input = TensorSpec("image", (None, 8, 8, 1), "float32")

    def __init__(self, outputs):
        self._outputs = outputs

    def predict(self, images):
        if isinstance(self._outputs, Exception):
            raise self._outputs
        return self._outputs


REFERENCE = np.eye(3, dtype=np.float32)[np.arange(90) % 3]
LABELS = np.arange(90) % 3


@pytest.fixture
def judge(exported, monkeypatch):
    found = manifest.read(exported)

    def run(outputs, **options):
        monkeypatch.setattr(module, "open_session", lambda path, threads: Fake(outputs))
        images = np.zeros((90, 8, 8, 1), np.uint8)
        return compare(found, found.artifacts[3], images=images, labels=LABELS, reference=REFERENCE, **options)

    return run


def test_lost_and_gained_are_counted_image_by_image(judge):
    outputs = REFERENCE.copy()
    outputs[[0, 1]] = outputs[[1, 0]]
    judged = judge(outputs)
    assert (judged.lost, judged.gained, judged.reference_correct) == (2, 0, 90)
    assert judged.max_abs_error == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_output_that_is_no_number_fails(judge, bad):
    outputs = REFERENCE.copy()
    outputs[5, 1] = bad
    judged = judge(outputs)
    assert judged.verdict == "fail"
    assert judged.problem == "NaN or infinite outputs for 1 of 90 images"
    assert judged.to_json()["max_abs_error"] is None


@pytest.mark.parametrize("shape", [(90, 4), (90, 3, 1), (90,), (45, 3)])
def test_another_shape_or_class_count_fails(judge, shape):
    assert judge(np.zeros(shape, np.float32)).verdict == "fail"


def test_an_artifact_that_does_not_run_fails_and_says_why(judge):
    judged = judge(ArtifactError("cannot be loaded"))
    assert (judged.verdict, judged.problem) == ("fail", "cannot be loaded")


def test_by_golden_a_flip_or_more_than_one_step_fails(judge):
    step = 1 / 256
    assert judge(REFERENCE, recorded=REFERENCE).verdict == "pass"
    assert judge(REFERENCE - np.float32(step), recorded=REFERENCE).verdict == "pass"
    assert "outputs differ by" in judge(REFERENCE - np.float32(2 * step), recorded=REFERENCE).problem
    assert "90 of 90 predictions" in judge(np.roll(REFERENCE, 1, axis=1), recorded=REFERENCE).problem
