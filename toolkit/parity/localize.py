"""Where an artifact leaves the Keras original: layer by layer, and by the kernels that executed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import runtimes
from toolkit.convention import Convention
from toolkit.errors import ArtifactError
from toolkit.manifest import Artifact, Manifest
from toolkit.portability import Portability
from toolkit.runtimes.base import Traced
from toolkit.runtimes.base.graph import Operator
from toolkit.runtimes.keras.layers import LayerOutput
from toolkit.verdict import Verdict
from toolkit.worker.session import Workers, contained

# Images that layers are compared on.
IMAGES = 200
# The signal-to-noise ratio, in dB, below which a layer is damaged, not just rounded. Rounding leaves about 6 dB a bit
# (W. R. Bennett, "Spectra of quantized signals", 1948): 144 for the 24 bits of float32, 66 for the 11 of float16, 48
# for 8; sums of many products and ranges that are not filled cost some. docs/evidence.md has what was measured.
LEAST_DB = {"float32": 100.0, "float16": 50.0}
LEAST_8_BIT_DB = 30.0
# Half a step of float32, of a number from 1 to 2; and of how many standard deviations rounding errors are surely less:
# more have a probability of 3e-8 (``least_of_mean_db``).
_UNIT_ROUNDOFF, _SURELY = 2.0**-24, 6
# What exporters append to a layer's name when they trace a copy of the model.
_SUFFIXES = ("", "_1", "_2")


@dataclass(frozen=True)
class LayerNoise:
    """One layer, or what an artifact fused into one tensor. Ratios of signal to noise power, in dB; inf is exact.

    sqnr_db: from Keras' output, whatever went before. own_sqnr_db: the noise of this layer alone, which is given what
    the artifact's layers before it gave out; less than least_db is more noise than its arithmetic explains.
    max_abs_error: from Keras' output.
    """

    name: str
    tensor: str
    sqnr_db: float
    own_sqnr_db: float
    least_db: float
    max_abs_error: float


@dataclass(frozen=True)
class KernelSet:
    """The outputs of an artifact with one set of kernels beside those with the runtime's own choice."""

    kernels: str
    flips: int
    max_abs_error: float
    max_lsb: float | None


@dataclass(frozen=True)
class Localized:
    """An artifact layer by layer. ``unmatched``: layers that no tensor of the artifact could be found for.

    least_db: of most layers.
    """

    artifact: Path
    least_db: float
    layers: tuple[LayerNoise, ...]
    unmatched: tuple[str, ...]
    operators: tuple[Operator, ...]
    kernel_sets: tuple[KernelSet, ...]
    portability: Portability

    @property
    def culprit(self) -> LayerNoise | None:
        """The first layer that adds more noise than its arithmetic explains."""
        return next((layer for layer in self.layers if layer.own_sqnr_db < layer.least_db), None)

    @property
    def passed(self) -> bool:
        """Whether no layer is damaged, here or on another kind of CPU."""
        return self.culprit is None and not self.portability.saturating

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit localize --json``; infinite figures are null."""
        culprit = self.culprit
        return {
            "schema": 1,
            "command": "localize",
            "artifact": str(self.artifact),
            "layers": [
                {
                    "name": layer.name,
                    "tensor": layer.tensor,
                    "sqnr_db": _finite(layer.sqnr_db),
                    "own_sqnr_db": _finite(layer.own_sqnr_db),
                    "least_db": _finite(layer.least_db),
                    "exact": layer.own_sqnr_db == inf,
                    "max_abs_error": _finite(layer.max_abs_error),
                }
                for layer in self.layers
            ],
            "least_db": self.least_db,
            "unmatched": list(self.unmatched),
            "operators": [vars(operator) for operator in self.operators],
            "kernel_sets": [vars(kernels) for kernels in self.kernel_sets],
            "culprit": culprit.name if culprit else None,
            "saturating": self.portability.saturating,
            "not_analysed": list(self.portability.not_analysed),
            "verdict": Verdict.from_passed(self.passed),
        }


def localize(manifest: Manifest, artifact: Artifact, images: NDArray[np.uint8]) -> Localized:
    """Compare every layer of the reference with the tensor of ``artifact`` that stands for it.

    Raises ArtifactError if not one layer can be found in the artifact.
    """
    manifest.require(manifest.reference)
    path = manifest.folder / artifact.path
    runtime = runtimes.get(runtimes.for_file(path))
    images = images[:IMAGES]
    values = manifest.convention.values(images)
    with contained() as workers:
        # Artifacts whose activations are not rounded are compared with what a model that rounds them computes without.
        expected = workers.layers(manifest.reference_path, values, rounded=artifact.quantization == "int8")
        given = match(expected, workers.trace(path, values))
        operators = tuple(node.operator for node in workers.nodes(path))
        kernel_sets = _kernel_sets(path, images, manifest.convention, workers)
        if not given:
            raise ArtifactError(f"{path}: none of its tensors is named after a layer of {manifest.reference_path}")
        least_db = LEAST_DB.get(artifact.quantization, LEAST_8_BIT_DB)
        alone = workers.alone(manifest.reference_path, {name: tensor.values for name, tensor in given.items()})
        layers = tuple(
            LayerNoise(
                name=name,
                tensor=tensor.name,
                sqnr_db=sqnr_db(expected[name], tensor.values),
                own_sqnr_db=sqnr_db(own.values, tensor.values),
                least_db=min(least_db, least_of_mean_db(own)),
                max_abs_error=float(np.abs(expected[name] - tensor.values).max()),
            )
            for (name, tensor), own in zip(given.items(), alone, strict=True)
        )
    unmatched = tuple(name for name in expected if name not in given)
    return Localized(path, least_db, layers, unmatched, operators, kernel_sets, runtime.portability(path))


def least_of_mean_db(layer: LayerOutput) -> float:
    """Return the ratio of signal to noise that float32 leaves at least of means, in dB; inf for other values.

    A sum of n numbers x is more than c sqrt(n) u sum(|x|) off with a probability of at most 2 exp(-c² / 2), u the unit
    roundoff (N. Higham and T. Mary, "A New Approach to Probabilistic Rounding Error Analysis", 2019, theorem 2.4); here
    two such sums are compared. Where the mean is near 0, little is left.
    """
    if layer.count is None or layer.magnitudes is None:
        return inf
    off = 2 * _SURELY * sqrt(layer.count) * _UNIT_ROUNDOFF * layer.magnitudes.astype(np.float64)
    return sqnr_db(layer.values, layer.values + off)


def match(layers: dict[str, NDArray[np.float32]], tensors: Sequence[Traced]) -> dict[str, Traced]:
    """Return the tensor that stands for each layer, in the layer's layout, by the names that converters keep.

    A tensor that several layers were fused into is the last one's. The output, which has a name of its own, is the last
    layer's. Of several tensors of a layer (before and after its activation) the last is taken.
    """
    if not layers or not tensors:
        return {}
    *inner, output = tensors
    order = list(layers)
    best: dict[str, Traced] = {}
    for suffix in _SUFFIXES:
        matched: dict[str, Traced] = {}
        for tensor in inner:
            places = _places(tensor.name)
            named = [name for name in order if name + suffix in places]
            values = _in_layout(tensor.values, layers[named[-1]]) if named else None
            if values is not None:
                matched[named[-1]] = Traced(tensor.name, values)
        best = max(best, matched, key=len)
    final = _in_layout(output.values, layers[order[-1]])
    if final is not None:
        best[order[-1]] = Traced(output.name, final)
    return {name: best[name] for name in order if name in best}


def _places(name: str) -> set[str]:
    """Return what may be a layer in the name of a tensor: a path, or several, whose last part is an operator.

    That of a normalization may be "add_1", as a layer is called too.
    """
    paths = [path.partition(":")[0].split("/") for path in name.split(";")]
    return {part for parts in paths for part in parts[:-1] or parts}


def sqnr_db(expected: NDArray[np.float32], given: NDArray[np.floating]) -> float:
    """Return the ratio of the power of ``expected`` to that of the difference, in dB.

    inf if there is none, -inf where ``expected`` has no power or ``given`` holds what is no number.
    """
    if not np.isfinite(given).all():
        return -inf
    noise = float(np.square(expected.astype(np.float64) - given).sum())
    signal = float(np.square(expected.astype(np.float64)).sum())
    if noise == 0:
        return inf
    return 10 * log10(signal / noise) if signal else -inf


def _in_layout(values: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return values in Keras' layout: as they are or with the channels moved to the end, None if neither fits.

    Where both fit, as in a cube, the nearer one.
    """
    layouts = [values, np.moveaxis(values, 1, -1)] if values.ndim > 2 else [values]
    fitting = [np.ascontiguousarray(layout) for layout in layouts if layout.shape == expected.shape]
    return max(fitting, key=lambda layout: sqnr_db(expected, layout), default=None)


def _kernel_sets(
    path: Path, images: NDArray[np.uint8], convention: Convention, workers: Workers
) -> tuple[KernelSet, ...]:
    its_own, *others = runtimes.get(runtimes.for_file(path)).KERNELS

    def answers(kernels: str) -> tuple[NDArray[np.float32], float | None]:
        session = workers.open_session(path, kernels=kernels)
        session.convention = convention
        return session.predict(images), session.output.scale

    expected, step = answers(its_own)
    sets = []
    for kernels in others:
        outputs, _ = answers(kernels)
        difference = float(np.abs(outputs - expected).max())
        flips = int((outputs.argmax(axis=1) != expected.argmax(axis=1)).sum())
        sets.append(KernelSet(kernels, flips, difference, difference / step if step else None))
    return tuple(sets)


def _finite(ratio: float) -> float | None:
    return ratio if isfinite(ratio) else None
