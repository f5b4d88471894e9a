"""C: the int8 TFLite artifact as an aligned array with a header, for LiteRT for Microcontrollers (TFLM)."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras, runtimes
from toolkit.convention import Convention, Layout, Output
from toolkit.errors import ArtifactError
from toolkit.runtimes import tflm

SUFFIX = ".c"
HEADER_SUFFIX = ".h"
MADE_FROM = "tflite"
QUANTIZATIONS = ("int8",)
# TFLM reads the model in place, and places tensors in its arena, at multiples of 16 bytes
# (tflite-micro, tensorflow/lite/micro/micro_arena_constants.h: MicroArenaBufferAlignment).
ALIGNMENT_BYTES = 16
BYTES_PER_LINE = 16

_HEADER = """\
/* {stem}: an int8 classifier for LiteRT for Microcontrollers (TFLM), written by toolkit.
 *
 * The array holds {artifact} byte for byte: {size} bytes, SHA-256
 * {digest}
 *
 * Input:  {given}
 * Output: {answer}
 * Operators for the resolver: {operators}
{needs} *
 * {prefix}_ARENA_HINT_BYTES is a lower bound of the tensor arena, computed from the file and not measured: the
 * activations that are alive at one operator, each rounded up to {alignment} bytes, at the operator where they
 * take most (no operator computes in place). The interpreter's own structures and the kernels' scratch memory
 * come on top: begin with more, and read MicroInterpreter::arena_used_bytes().
{measured} */
#ifndef {prefix}_H
#define {prefix}_H

#define {prefix}_ALIGNMENT_BYTES {alignment}
#define {prefix}_ARENA_HINT_BYTES {arena}

#define {prefix}_INPUT_SHAPE {{{input_shape}}}
#define {prefix}_INPUT_BYTES {input_bytes}{input_scaling}

#define {prefix}_OUTPUT_SHAPE {{{output_shape}}}
#define {prefix}_OUTPUT_BYTES {output_bytes}{output_scaling}

#ifdef __cplusplus
extern "C" {{
#endif

extern const unsigned char {name}_model[];
extern const unsigned int {name}_model_bytes;

#ifdef __cplusplus
}}
#endif

#endif
"""

# https://github.com/tensorflow/tflite-micro/pull/2673 added such layers at the end of September 2024. Since pull
# request 2602 of the end of May 2024 they had been refused; before, they were computed with a wrong scale.
_NEEDS = """\
 * Needs TFLM of October 2024 or later: FULLY_CONNECTED has a scale for each channel. TFLM of June to September
 * 2024 refuses it, and older TFLM computes wrong answers without a word.
"""
_MEASURED = """\
 * Measured where this was written: {bytes} bytes in all, with tflite-micro {version}, its reference kernels
 * and pointers of 8 bytes. A microcontroller has pointers of 4, and its optimized kernels other scratch memory.
"""
_UNABLE = " * tflite-micro {version} could not run it where this was written.\n"
# What the numbers of the output are.
_ANSWERS = {
    Output.PROBABILITIES: "one {type} per class: probability",
    Output.LOGITS: "one {type} per class: logit, of which the softmax gives probabilities",
    Output.SIGMOID: "one {type}: probability of the second of two classes",
    Output.SIGMOIDS: "one {type} per class: probability of that class by itself",
}
_PIXELS = """\
{formula} as int8, rows of an image one after the other, channels {place}:
 *         value = round(({formula}) / {prefix}_INPUT_SCALE) + {prefix}_INPUT_ZERO_POINT"""
_VALUES = "float, values as they are, in the order of training, the last axis fastest; the model makes int8 of them"
_REAL = " = (value - {prefix}_OUTPUT_ZERO_POINT) * {prefix}_OUTPUT_SCALE"
_SCALING = """
#define {prefix}_{which}_SCALE {scale:.8e}f
#define {prefix}_{which}_ZERO_POINT ({zero_point})"""

_ARRAY = """\
/* {artifact} as an array; see {header}. */
#include "{header}"

#ifdef __cplusplus
#define ALIGNED alignas({alignment})
#else
#define ALIGNED _Alignas({alignment})
#endif

ALIGNED const unsigned char {name}_model[] = {{
{rows}
}};
const unsigned int {name}_model_bytes = sizeof({name}_model);
"""


def derive(artifact: Path, path: Path, convention: Convention) -> tuple[Path, Path]:
    """Write the bytes of an int8 ``.tflite`` file as C to ``path``, and its header beside it; return both."""
    flatbuffer_utils = extras.load("tensorflow.lite.tools.flatbuffer_utils")
    content = artifact.read_bytes()
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    header = path.with_suffix(HEADER_SUFFIX)
    name = identifier(path.stem)
    named = [(flatbuffer_utils.opcode_to_name(model, one.opcodeIndex), one) for one in graph.operators]
    names = {"name": name, "prefix": name.upper(), "artifact": artifact.name, "alignment": ALIGNMENT_BYTES}
    header.write_text(
        _HEADER.format(
            **names,
            **_tensor("input", graph.tensors[graph.inputs[0]], name.upper()),
            **_tensor("output", graph.tensors[graph.outputs[0]], name.upper()),
            **_meaning(convention, graph, name.upper()),
            needs=_NEEDS if any(_is_product_by_channel(*one, graph.tensors) for one in named) else "",
            measured=_measured(artifact),
            stem=path.stem,
            size=len(content),
            digest=hashlib.sha256(content).hexdigest(),
            operators=", ".join(sorted({operator for operator, _ in named})),
            arena=least_arena(content),
        ),
        encoding="utf-8",
    )
    lines = (content[start : start + BYTES_PER_LINE] for start in range(0, len(content), BYTES_PER_LINE))
    rows = "\n".join("  " + " ".join(f"0x{byte:02x}," for byte in line) for line in lines)
    path.write_text(_ARRAY.format(**names, header=header.name, rows=rows), encoding="utf-8")
    return path, header


def _is_product_by_channel(name: str, operator: Any, tensors: Any) -> bool:
    """Say whether an operator is a dense layer whose weights have a scale for each channel."""
    return name == "FULLY_CONNECTED" and len(tensors[operator.inputs[1]].quantization.scale) > 1


def _measured(artifact: Path) -> str:
    """Return what the header says of the arena in TFLM; nothing where that is not installed."""
    if not runtimes.installed("tflm"):
        return ""
    (version,) = runtimes.versions("tflm").values()
    try:
        return _MEASURED.format(version=version, bytes=tflm.TFLMSession(artifact).arena_bytes)
    except ArtifactError:  # an operator without a kernel there, or one that takes more than is allowed here
        return _UNABLE.format(version=version)


def identifier(stem: str) -> str:
    """Return a file's stem as a C identifier: ``cnn-int8`` becomes ``cnn_int8``."""
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return f"model_{name}" if name[0].isdigit() else name


def least_arena(content: bytes) -> int:
    """Return ``least_arena_bytes`` of a ``.tflite`` file."""
    model = extras.load("tensorflow.lite.tools.flatbuffer_utils").read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    return least_arena_bytes(
        [_activation_bytes(tensor, model.buffers) for tensor in graph.tensors],
        [(operator.inputs, operator.outputs) for operator in graph.operators],
        inputs=graph.inputs,
        outputs=graph.outputs,
    )


def least_arena_bytes(
    sizes: Sequence[int],
    operators: Sequence[tuple[Sequence[int], Sequence[int]]],
    *,
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> int:
    """Return what the tensors take that are alive together, at the operator where they take most.

    sizes: bytes by tensor, 0 for constants. operators: (inputs, outputs) in the order of execution. A tensor is alive
    from the operator that writes it to the last that reads it, the model's inputs from the start and its outputs to the
    end. Every plan of the arena needs that much: it is the bound that TFLM's greedy planner approaches.
    """
    born = dict.fromkeys(inputs, 0)
    dies = dict.fromkeys(outputs, len(operators) - 1)
    for step, (read, written) in enumerate(operators):
        for tensor in written:
            born.setdefault(tensor, step)
        for tensor in (*read, *written):
            dies[tensor] = max(dies.get(tensor, 0), step)
    alive = (
        sum(_aligned(sizes[tensor]) for tensor, first in born.items() if first <= step <= dies[tensor])
        for step in range(len(operators))
    )
    return max(alive, default=0)


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _activation_bytes(tensor: Any, buffers: Any) -> int:
    """Return the bytes of a tensor for one image, 0 for a constant, which stays in the model."""
    constant = buffers[tensor.buffer].data
    return 0 if constant is not None and len(constant) else _size_bytes(tensor)


def _size_bytes(tensor: Any) -> int:
    flatbuffer_utils = extras.load("tensorflow.lite.tools.flatbuffer_utils")
    dtype = np.dtype(flatbuffer_utils.type_to_name(tensor.type).lower())
    return int(np.prod(tensor.shape) * dtype.itemsize)


def _tensor(which: str, tensor: Any, prefix: str) -> dict[str, Any]:
    """Return what the header says of the input or the output; a float32 needs nine digits to be read back as it is."""
    numbers: dict[str, Any] = {"prefix": prefix, "which": which.upper()}
    if _is_quantized(tensor):
        numbers |= {"scale": tensor.quantization.scale[0], "zero_point": int(tensor.quantization.zeroPoint[0])}
    return {
        f"{which}_shape": ", ".join(str(size) for size in tensor.shape),
        f"{which}_bytes": _size_bytes(tensor),
        f"{which}_scaling": _SCALING.format(**numbers) if _is_quantized(tensor) else "",
    }


def _meaning(convention: Convention, graph: Any, prefix: str) -> dict[str, str]:
    """Return in words what input and output are."""
    given, returned = (_is_quantized(graph.tensors[ends[0]]) for ends in (graph.inputs, graph.outputs))
    place = f"{'first' if convention.layout == Layout.NCHW else 'last'}{', blue before red' if convention.bgr else ''}"
    answer = _ANSWERS[convention.output or Output.PROBABILITIES].format(type="int8" if returned else "float")
    return {
        "given": _PIXELS.format(formula=convention.formula, prefix=prefix, place=place) if given else _VALUES,
        "answer": answer + (_REAL.format(prefix=prefix) if returned else ""),
    }


def _is_quantized(tensor: Any) -> bool:
    """Say whether a tensor holds integers that stand for real numbers."""
    return tensor.quantization is not None and tensor.quantization.scale is not None
