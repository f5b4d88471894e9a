import numpy as np
import pytest

from tests.cpus.agreement import RULES, between_cpus, from_x86

STEP = 1 / 256
OUTPUTS = np.tile(np.float32([0.75, 0.25]), (100, 1))


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
def test_between_two_arm64_cpus(kernels, other, problem):
    assert between_cpus(OUTPUTS, other, RULES[kernels]) == problem


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
def test_between_arm64_and_x86(kernels, other, problem):
    assert from_x86(other, OUTPUTS, RULES[kernels], step=STEP) == problem
