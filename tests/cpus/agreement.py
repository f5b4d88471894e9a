"""How far the outputs of one artifact may differ between CPUs: two arm64 ones, or an arm64 one and x86-64."""

from dataclasses import dataclass

import numpy as np

# What was measured with LiteRT 2.3 and ONNX Runtime 1.32 was at most half of each of these bounds (float32 LiteRT on
# another net: 1.2e-5). Kernels of two instruction sets add the same products in different orders.
FLOAT32_LITERT = 2.4e-5
FLOAT = 4.8e-6
# The two arm64 CPUs run the same float kernels; of int8 ones they run different ones, that compute the same integers.
# LiteRT's dynamic quantization finds each image's range in float first.
DYNAMIC_BETWEEN_CPUS = 1.2e-6
# Values of an int8 output that may be off by one step between instruction sets: XNNPACK rounds in float on x86-64.
LSB_SHARE = 0.01


@dataclass(frozen=True)
class Rule:
    """Largest differences of probabilities between the arm64 CPUs, and from x86-64; lsb: steps of an int8 output."""

    between_cpus: float = 0.0
    from_x86: float = FLOAT
    lsb: bool = False


# By runtime and quantization.
RULES = {
    ("litert", "float32"): Rule(from_x86=FLOAT32_LITERT),
    ("litert", "float16"): Rule(),
    ("litert", "dynamic"): Rule(between_cpus=DYNAMIC_BETWEEN_CPUS),
    ("litert", "int8"): Rule(lsb=True),
    ("onnxruntime", "float32"): Rule(),
    ("onnxruntime", "int8"): Rule(),
}


def between_cpus(one: np.ndarray, other: np.ndarray, rule: Rule) -> str | None:
    """Return how the outputs of two arm64 CPUs, (N, classes), differ by more than they may."""
    return flips(one, other) or _beyond(np.abs(one - other).max(), rule.between_cpus)


def from_x86(arm: np.ndarray, x86: np.ndarray, rule: Rule, *, step: float | None) -> str | None:
    """Return how those of an arm64 CPU differ from x86-64's. step: of an int8 output."""
    if changed := flips(arm, x86):
        return changed
    if not rule.lsb:
        return _beyond(np.abs(arm - x86).max(), rule.from_x86)
    steps = np.rint(np.abs(arm - x86) / step)
    share = np.count_nonzero(steps) / steps.size
    if steps.max() > 1:
        return f"differ by {steps.max():.0f} steps; allowed: 1"
    return f"{share:.2%} of the values are off by a step; allowed: {LSB_SHARE:.0%}" if share > LSB_SHARE else None


def flips(one: np.ndarray, other: np.ndarray) -> str | None:
    """Return how many images are put into another class."""
    changed = int(np.count_nonzero(one.argmax(1) != other.argmax(1)))
    return f"{changed} of {len(one)} images are put into another class; none may" if changed else None


def _beyond(difference: float, allowed: float) -> str | None:
    return f"differ by {difference:.2g}; allowed: {allowed:.2g}" if difference > allowed else None
