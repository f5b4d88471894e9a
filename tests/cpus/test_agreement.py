import numpy as np
import pytest

from tests.cpus.agreement import REQUIRED, RULES, between, problems

STEP = 1 / 256
OUTPUTS = np.tile(np.array([0.75, 0.25], np.float32), (100, 1))


def off(values: int, by: float) -> np.ndarray:
    changed = OUTPUTS.copy()
    changed[:values, 0] += np.float32(by)
    return changed


@pytest.mark.parametrize(
    ("kernels", "other", "problem"),
    [
        (("litert", "int8"), off(0, 0.0), None),
        (("litert", "int8"), off(1, STEP), "differ by 0.0039; allowed: 0"),
        (("litert", "dynamic"), off(100, 1e-6), None),
        (("onnxruntime", "float32"), off(1, 1e-6), "differ by 1e-06; allowed: 0"),
        (("onnxruntime", "int8"), off(3, -0.6), "3 of 100 images are put into another class; none may"),
    ],
)
def test_two_arm64_cpus_must_answer_alike_to_the_finer_bounds(kernels, other, problem):
    assert between(OUTPUTS, other, RULES[kernels], on_arm64=True, step=STEP) == problem


@pytest.mark.parametrize(
    ("kernels", "other", "problem"),
    [
        (("litert", "int8"), off(2, STEP), None),
        (("litert", "int8"), off(3, STEP), "1.50% of the values are off by a step; allowed: 1%"),
        (("litert", "int8"), off(1, 2 * STEP), "differ by 2 steps; allowed: 1"),
        (("litert", "int8"), off(1, -0.6), "1 of 100 images are put into another class; none may"),
        (("litert", "float32"), off(100, 2e-5), None),
        (("onnxruntime", "int8"), off(1, 2e-5), "differ by 2e-05; allowed: 4.8e-06"),
    ],
)
def test_any_other_two_cpus_must_answer_alike_to_the_wider_bounds(kernels, other, problem):
    assert between(other, OUTPUTS, RULES[kernels], on_arm64=False, step=STEP) == problem


def test_every_cpu_is_held_against_the_record_and_every_other():
    outputs = {"Haswell": off(1, 2e-5), "cortex-a53": OUTPUTS, "cortex-a72": off(1, 1e-6), "native": OUTPUTS}
    assert problems(outputs, OUTPUTS, RULES["onnxruntime", "int8"], step=None) == [
        "Haswell and what was recorded: differ by 2e-05; allowed: 4.8e-06",
        "Haswell and cortex-a53: differ by 2e-05; allowed: 4.8e-06",
        "Haswell and cortex-a72: differ by 1.9e-05; allowed: 4.8e-06",
        "Haswell and native: differ by 2e-05; allowed: 4.8e-06",
        "cortex-a53 and cortex-a72: differ by 1e-06; allowed: 0",
    ]


def test_no_finer_bound_is_wider_than_what_is_required():
    assert max(max(rule.on_arm64, rule.otherwise) for rule in RULES.values()) <= REQUIRED
