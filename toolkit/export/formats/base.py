"""What the formats share: the model made ready, and the calibration images."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.convention import Convention, Layout

INPUT_NAME = "image"
OUTPUT_NAME = "probabilities"
BATCH_NAME = "batch"
# What the manifest says of weights that add up right on every CPU.
SEVEN_BITS = "int8 per channel, 7 bits"
# How converters write the operators of TensorFlow, and how many of them a sentence names.
_OPERATOR = re.compile(r"\btf\.([A-Z]\w+)")
NAMED_OPERATORS = 3
# The parts of a path in TensorFlow's graph, and what TensorFlow appends to the name of a layer there: of its first
# call, of one that is alone, of a second call.
_PLACE = re.compile(r"([\w.-]+)/")
_SUFFIXES = ("_1", "", "_2")
LEAVE_OUT = "leave this {} out by --format or --quantize"
# Layers that take numbers of categories, or of words.
LOOK_UP = frozenset({"CategoryEncoding", "Embedding"})
# int8 but for the layers that this costs most. It is made if it is asked for: most models need no such layers.
MIXED = "mixed"


@dataclass(frozen=True)
class Prepared:
    """A Keras model made ready for converters.

    function: a ``tf.function`` {OUTPUT_NAME: …} of INPUT_NAME (batch, H, W[, C]) float32, of operators that converters
    know. steps: the same with each step of its recurrent layers after the other, in no loop. saved_model:
    ``steps`` as a SavedModel. work: a scratch folder that lasts as long as the export. layers: their classes, by name.
    answer: the name of the layer that gives the answer, which converters name otherwise.
    rounding: of a model that rounds as integer kernels do, the same with that rounding, which int8 is made of; the
    other fields then leave out that of activations.
    """

    function: Any
    steps: Any
    saved_model: Path
    work: Path
    layers: dict[str, str]
    answer: str
    rounding: "Prepared | None" = None

    @cached_property
    def loaded(self) -> Any:
        """The SavedModel, loaded: converters only read it."""
        return extras.load("tensorflow").saved_model.load(str(self.saved_model))

    def normalizations(self, convention: Convention) -> tuple[str, ...]:
        """Return the layers that must compute in float32 also where the others do not: those that normalize values."""
        if convention.layout != Layout.VALUES:
            return ()
        return tuple(name for name, kind in self.layers.items() if kind == "Normalization")

    def takes_float(self, convention: Convention) -> bool:
        """Say whether the input stays float32 in int8: values that are normalized, or numbers of categories.

        int8 has 256 steps: with 1,000 words, several would share one.
        """
        looks_up = convention.layout == Layout.VALUES and not LOOK_UP.isdisjoint(self.layers.values())
        return looks_up or bool(self.normalizations(convention))


@dataclass(frozen=True)
class Request:
    """One conversion. calibration: values of the input, (N, H, W, C) float32, as the convention has them.

    in_float: the layers of a MIXED artifact that stay in float.
    """

    quantization: str
    calibration: NDArray[np.float32]
    convention: Convention
    in_float: tuple[str, ...] = ()


def belongs_to(layers: Iterable[str], name: str) -> bool:
    """Say whether an operator of this name in TensorFlow's graph computes a part of one of the layers."""
    places = set(_PLACE.findall(name))
    return any(layer + suffix in places for layer in layers for suffix in _SUFFIXES)


def refusal(said: str, layers: Mapping[str, str], *, format_name: str) -> str:
    """Return one sentence on why a model cannot be written in a format: the layer, and what to do.

    said: the converter's words, with the paths of operators in TensorFlow's graph. layers: classes by name.
    """
    operators = sorted(set(_OPERATOR.findall(said)))[:NAMED_OPERATORS]
    places = set(_PLACE.findall(said))
    named = next((name for suffix in _SUFFIXES for name in layers if name + suffix in places), None)
    if not operators and named is None:
        return f"the converter to {format_name} gave up, export.log says why; {LEAVE_OUT.format(format_name)}"
    layer = "a layer" if named is None else f"the layer '{named}' ({layers[named]})"
    what = f"{layer} needs {', '.join(operators)}, which" if operators else f"{layer} computes what"
    has = "have" if len(operators) > 1 else "has"
    return f"{what} {has} no counterpart in {format_name}; replace it, or {LEAVE_OUT.format(format_name)}"
