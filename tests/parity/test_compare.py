"""The rule of the verdict, and what fails whatever the accuracy."""

import re
from dataclasses import replace

import numpy as np
import pytest

from toolkit import golden, manifest, runtimes
from toolkit.convention import Convention
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.parity import figures, other_kernels
from toolkit.parity.checks import Problem
from toolkit.parity.compare import Comparison, compare, overall
from toolkit.parity.figures import Figures
from toolkit.parity.material import material
from toolkit.selftest.files import faults


def comparison(lost=0, gained=0, n=10_000, correct=9_900, **rest) -> Comparison:
    found = Figures(
        n=n,
        reference_correct=correct,
        lost=lost,
        gained=gained,
        changed=lost + gained,
        clear_changes=0,
        max_abs_error=0.0,
        kl_mean=0.0,
        kl_max=0.0,
        calibration_error=0.0,
        reference_calibration_error=0.0,
        class_images=(n, 0),
        class_correct=(correct - lost + gained, 0),
        reference_class_correct=(correct, 0),
        flips=(),
    )
    described = {"artifact": "a", "runtime": "r", "format": "f", "quantization": "int8", "sha256": "s"}
    return Comparison(**{**described, "margin_pp": 0.5, "n": n, "figures": found, **rest})


@pytest.mark.parametrize(
    ("lost", "gained", "verdict"),
    [(0, 0, "pass"), (20, 10, "pass"), (45, 0, "inconclusive"), (50, 0, "inconclusive"), (80, 0, "fail")],
)
def test_the_verdict_is_non_inferiority(lost, gained, verdict):
    judged = comparison(lost=lost, gained=gained)
    assert judged.verdict == verdict
    assert judged.figures.accuracy == (9_900 - lost + gained) / 10_000
    assert judged.figures.loss_pp == pytest.approx((lost - gained) / 100)


def test_a_few_images_cannot_pass_and_the_number_that_could_is_said():
    judged = comparison(n=100, correct=99)
    assert judged.verdict == "inconclusive"
    assert judged.to_json()["images_to_decide"] == 539
    assert comparison().to_json()["images_to_decide"] is None


def test_a_loss_equal_to_the_margin_is_decided_by_no_number_of_images():
    judged = comparison(lost=50)
    assert (judged.verdict, judged.images_to_decide) == ("inconclusive", None)


def test_a_problem_fails_whatever_the_accuracy():
    assert comparison(problem=Problem("digest", "changed")).verdict == "fail"
    result = comparison(figures=None, problem=Problem("runs", "gone")).to_json()
    assert (result["accuracy"], result["failed_check"], result["problem"]) == (None, "runs", "gone")


def test_a_result_names_every_figure_whether_there_are_any_or_not():
    assert list(comparison().figures.to_json()) == list(comparison().figures.to_json(of_test_set=False))
    assert set(comparison().figures.to_json()) == set(figures.NAMES)
    assert comparison(figures=None).to_json().keys() == comparison().to_json().keys()


def test_the_worst_verdict_of_several_artifacts_counts():
    ok, unsure, bad = comparison(), comparison(lost=45), comparison(problem=Problem("x", "x"))
    assert overall([ok]) == "pass"
    assert overall([ok, unsure]) == "inconclusive"
    assert overall([ok, unsure, bad]) == "fail"


class Fake:
    """A session that answers what it is told."""

    def __init__(self, artifact, outputs, **specification):
        self.input = replace(artifact.inputs[0], **specification)
        self.output = artifact.outputs[0]
        self._outputs = outputs

    def predict(self, images):
        if isinstance(self._outputs, Exception):
            raise self._outputs
        return self._outputs


REFERENCE = np.array([[0.9, 0.06, 0.04], [0.04, 0.9, 0.06], [0.06, 0.04, 0.9]], np.float32)[np.arange(90) % 3]
LABELS = np.arange(90) % 3
INT8, FLOAT32 = 5, 0


@pytest.fixture
def judge(exported):
    found = manifest.read(exported)

    def run(outputs, which=INT8, recorded=None, reference=REFERENCE, manifest=found, by_others=None, **specification):
        artifact = found.artifacts[which]
        fake, again = (
            Fake(artifact, answers, **specification)
            for answers in (outputs, outputs if by_others is None else by_others)
        )
        images = np.zeros((90, 8, 8, 1), np.uint8)
        shown = material(
            images,
            LABELS,
            reference,
            {artifact.path: recorded} if recorded is not None else None,
            convention=Convention(),
        )

        def open_session(path, *, threads=1, kernels=None):
            return again if kernels else fake

        return compare(manifest, artifact, shown, open_session=open_session)

    assert [found.artifacts[i].quantization for i in (INT8, FLOAT32)] == ["int8", "float32"]
    return run


def test_lost_and_gained_are_counted_image_by_image(judge):
    outputs = REFERENCE.copy()
    outputs[[0, 1]] = outputs[[1, 0]]
    judged = judge(outputs)
    assert (judged.figures.lost, judged.figures.gained, judged.figures.reference_correct) == (2, 0, 90)
    assert judged.figures.max_abs_error == pytest.approx(0.86)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_output_that_is_no_number_fails(judge, bad):
    outputs = REFERENCE.copy()
    outputs[5, 1] = bad
    judged = judge(outputs)
    assert judged.verdict == "fail"
    assert judged.problem == Problem("numbers", "NaN or infinite outputs in 1 of 90 answers")
    assert judged.to_json()["max_abs_error"] is None


@pytest.mark.parametrize("shape", [(90, 4), (90, 3, 1), (90,), (45, 3)])
def test_another_shape_or_class_count_fails(judge, shape):
    assert judge(np.zeros(shape, np.float32)).problem.check == "classes"


def test_an_artifact_that_does_not_run_fails_and_says_why(judge):
    judged = judge(ArtifactError("cannot be loaded"))
    assert (judged.verdict, judged.problem) == ("fail", Problem("runs", "cannot be loaded"))


@pytest.mark.parametrize(
    ("specification", "says"),
    [({"zero_point": 0}, "zero point"), ({"scale": 0.5}, "scale"), ({"dtype": "uint8"}, "dtype")],
)
def test_a_file_that_is_not_what_the_manifest_tells_an_application_fails(judge, specification, says):
    judged = judge(REFERENCE, **specification)
    assert judged.problem.check == "specification"
    assert says in judged.problem.text


def test_outputs_that_are_no_probabilities_fail(judge):
    judged = judge(np.log(REFERENCE))
    assert judged.problem.check == "probabilities"
    assert judged.figures.changed == 0


def test_a_reference_without_probabilities_asks_for_none(judge):
    logits = np.log(REFERENCE)
    assert judge(logits, which=FLOAT32, reference=logits).problem is None


def test_logits_of_another_model_diverge(judge):
    """Log-softmax outputs are all negative: only their softmax tells them apart."""
    logits = np.log(REFERENCE)
    other = np.log(np.where(REFERENCE > 0.5, np.float32(0.999), np.float32(0.0005)))
    assert judge(other, reference=logits).problem.check == "divergence"
    judged = judge(logits, reference=logits)
    assert judged.problem is None
    assert judged.figures.calibration_error == pytest.approx(0.1, abs=1e-6)


def test_float32_may_differ_by_a_ten_thousandth(judge):
    assert judge(REFERENCE + np.array([0.9e-4, -0.9e-4, 0], np.float32), which=FLOAT32).problem is None
    judged = judge(REFERENCE + np.array([1.2e-4, -1.2e-4, 0], np.float32), which=FLOAT32)
    assert judged.problem.check == "float32"
    assert "differs by 0.00012 from Keras'; allowed in float32: 0.0001" in judged.problem.text


@pytest.mark.parametrize(("gap", "check"), [(0.0005, None), (0.002, "float32")])
def test_float32_may_change_a_prediction_only_where_two_classes_are_level(judge, gap, check):
    """The outputs hardly differ; what counts is how near Keras' two best classes were."""
    reference = REFERENCE.copy()
    reference[0] = [0.5 + gap / 2, 0.5 - gap / 2, 0]
    outputs = reference.copy()
    outputs[0] = [0.5 - gap / 2, 0.5 + gap / 2, 0]
    judged = judge(outputs, which=FLOAT32, reference=reference)
    assert judged.figures.clear_changes == (1 if check else 0)
    assert "predictions changed" in judged.problem.text if check else "differs by" in judged.problem.text


def test_a_quantized_artifact_with_other_probabilities_fails_at_equal_accuracy(judge):
    confident = np.where(REFERENCE > 0.5, np.float32(0.999), np.float32(0.0005))
    judged = judge(confident)
    assert (judged.figures.changed, judged.problem.check) == (0, "divergence")


def test_int8_that_was_calibrated_on_one_image_fails(judge, exported):
    found = manifest.read(exported)
    same = replace(found.calibration, row_sha256_16=("00",) * 50)
    assert judge(REFERENCE, manifest=replace(found, calibration=same)).problem.check == "calibration"
    assert judge(REFERENCE, manifest=replace(found, calibration=same), which=FLOAT32).problem is None


def test_by_golden_a_flip_or_more_than_one_step_fails(judge):
    step = np.float32(1 / 256)
    assert judge(REFERENCE, recorded=REFERENCE).verdict == "pass"
    near = judge(REFERENCE - step * np.array([1, -1, 1], np.float32), recorded=REFERENCE)
    assert (near.verdict, near.recorded.flips) == ("pass", 0)
    assert near.recorded.max_lsb == pytest.approx(1.0, rel=1e-5)
    assert (
        "outputs differ by"
        in judge(REFERENCE - 2 * step * np.array([1, -1, 0], np.float32), recorded=REFERENCE).problem.text
    )
    assert "90 of 90 predictions" in judge(np.roll(REFERENCE, 1, axis=1), recorded=REFERENCE).problem.text


def test_by_golden_nothing_is_inferred_about_accuracy(judge):
    result = judge(REFERENCE, recorded=REFERENCE).to_json()
    assert result["verdict"] == "pass"
    assert {result[name] for name in ("loss_upper_pp", "loss_lower_pp", "change_ci95_pp", "mcnemar_p")} == {None}
    assert (result["recorded_flips"], result["recorded_max_lsb"]) == (0, 0.0)


@pytest.mark.training
def test_weights_that_can_saturate_fail_on_every_machine(exported):
    found = manifest.read(exported)
    (artifact,) = (a for a in found.artifacts if a.path == "cnn-int8.onnx")
    faults(artifact)["weights of 8 bits"](exported / artifact.path)
    edited = replace(artifact, sha256=sha256(exported / artifact.path))
    record = golden.read(found.golden_path)
    judged = compare(
        found, edited, material(record.images, record.labels, record.reference, convention=found.convention)
    )
    assert (judged.verdict, judged.problem.check, judged.figures.changed) == ("fail", "saturation", 0)
    said = r"\S+conv_1\S+, .* can saturate on x86-64 with AVX2 .*: a sum of two products may be 6\d,\d{3}, "
    assert re.match(said + "an int16 holds 32,767; ", judged.problem.text)
    assert len(judged.to_json()["saturating"]) == 4


@pytest.mark.parametrize(
    ("kernels_agree", "cause"),
    [
        (True, "kernels of this machine: with those called 'other' it agrees with Keras"),
        (False, "other weights, inputs"),
    ],
)
def test_probabilities_that_other_kernels_get_right_are_not_blamed_on_the_file(
    judge, monkeypatch, kernels_agree, cause
):
    softer = REFERENCE * np.float32(0.5) + np.float32(1 / 6)
    monkeypatch.setattr(runtimes.get("litert"), "KERNELS", ("usual", "other"))
    judged = judge(softer, by_others=REFERENCE if kernels_agree else softer)
    assert judged.problem.check == "divergence"
    assert cause in judged.cause
    assert judge(REFERENCE).cause is None


@pytest.mark.parametrize("broken", [np.full_like(REFERENCE, np.nan), ArtifactError("it cannot be opened so")])
def test_other_kernels_that_do_not_work_leave_the_blame_on_the_file(judge, broken):
    softer = REFERENCE * np.float32(0.5) + np.float32(1 / 6)
    assert judge(softer, by_others=broken).cause == other_kernels.OF_THE_FILE
