"""How far the outputs of one artifact may differ: between CPUs, and from those that golden.npz has of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tests.cpus import table

ARM64 = table.of("aarch64").keys()
# What the project promises on every CPU, beside no image put into another class: of float32 outputs, and of int8 ones.
REQUIRED = 1e-4
REQUIRED_STEPS = 1
# Finer, by what was measured with LiteRT 2.3 and ONNX Runtime 1.32: at most half of each of these bounds (float32
# LiteRT on another net: 1.2e-5). Kernels of two instruction sets add the same products in different orders.
FLOAT32_LITERT = 2.4e-5
FLOAT = 4.8e-6
# The arm64 CPUs run the same float kernels; of int8 ones they run different ones, that compute the same integers.
# LiteRT's dynamic quantization finds each image's range in float first.
DYNAMIC_ON_ARM64 = 1.2e-6
# Values of an int8 output that may be off by one step between instruction sets: XNNPACK rounds in float on x86-64.
LSB_SHARE = 0.01


@dataclass(frozen=True)
class Rule:
    """Largest differences of probabilities between arm64 CPUs, and of any others; lsb: steps of an int8 output."""

    on_arm64: float = 0.0
    otherwise: float = FLOAT
    lsb: bool = False


# By runtime and quantization.
RULES = {
    ("litert", "float32"): Rule(otherwise=FLOAT32_LITERT),
    ("litert", "float16"): Rule(),
    ("litert", "dynamic"): Rule(on_arm64=DYNAMIC_ON_ARM64),
    ("litert", "int8"): Rule(lsb=True),
    ("onnxruntime", "float32"): Rule(),
    ("onnxruntime", "int8"): Rule(),
}


def problems(outputs: Mapping[str, np.ndarray], recorded: np.ndarray, rule: Rule, *, step: float | None) -> list[str]:
    """Return what is wrong with one artifact's outputs, (N, classes) by CPU: each held against each and the record.

    step: of an int8 output.
    """
    pairs = [(f"{cpu} and what was recorded", mine, recorded, False) for cpu, mine in outputs.items()]
    for (one, mine), (other, theirs) in combinations(outputs.items(), 2):
        pairs.append((f"{one} and {other}", mine, theirs, {one, other} <= ARM64))
    found = ((who, between(mine, theirs, rule, on_arm64=alike, step=step)) for who, mine, theirs, alike in pairs)
    return [f"{who}: {problem}" for who, problem in found if problem]


def between(one: np.ndarray, other: np.ndarray, rule: Rule, *, on_arm64: bool, step: float | None) -> str | None:
    """Return how two CPUs' outputs differ by more than they may. on_arm64: both CPUs are."""
    if changed := flips(one, other):
        return f"{changed} of {len(one)} images are put into another class; none may"
    difference = np.abs(one - other)
    if on_arm64 or not rule.lsb:
        allowed = rule.on_arm64 if on_arm64 else rule.otherwise
        return f"differ by {difference.max():.2g}; allowed: {allowed:.2g}" if difference.max() > allowed else None
    steps = np.rint(difference / step)
    share = np.count_nonzero(steps) / steps.size
    if steps.max() > REQUIRED_STEPS:
        return f"differ by {steps.max():.0f} steps; allowed: {REQUIRED_STEPS}"
    return f"{share:.2%} of the values are off by a step; allowed: {LSB_SHARE:.0%}" if share > LSB_SHARE else None


def flips(one: np.ndarray, other: np.ndarray) -> int:
    """Return how many images are put into another class."""
    return int(np.count_nonzero(one.argmax(1) != other.argmax(1)))
