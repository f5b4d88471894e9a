"""HDF5 files of Keras 2, which describe layers and their calls otherwise than those of Keras 3."""

import inspect
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit import extras, locks

# How the versions begin that write such files.
VERSION = "2."
# What tells a layer where it was defined and built; without it Keras goes by the name of its class, as it did then.
_PLACE = ("module", "registered_name", "build_config")
# What layers had, and have no more: arguments that nothing depends on, and some that have one meaning left.
_IDLE = ("rng_type", "seed", "noise_shape", "trainable", "input_length", "query_shape", "key_shape", "value_shape")
_GONE = (*_IDLE, "kernel_initializer", "kernel_regularizer", "kernel_constraint", "implementation")
_LEFT = {"groups": 1, "time_major": False, "softmax_robust_masking": False}
# Where a layer has another one.
_WRAPPED = ("layer", "backward_layer")
# Models, whose own call was counted among the calls of a model in a model.
_MODELS = ("Functional", "Model", "Sequential")


@contextmanager
def readable(path: Path, config: Any) -> Iterator[Path]:
    """Yield a copy of a file of Keras 2 that Keras 3 loads. config: of its model, which is changed."""
    _describe(extras.load("keras").layers, config)
    with locks.scratch() as work:
        copy = work / path.name
        shutil.copyfile(path, copy)
        with extras.load("h5py").File(copy, "r+") as root:
            root.attrs["model_config"] = json.dumps(config)
        yield copy


def _describe(layers: Any, config: Any, *, wrapped: bool = False) -> None:
    """Describe the layers as Keras 3 does. Arguments that it does not take, and that change an answer, it refuses.

    wrapped: whether it is the layer that another one wraps, which Keras 3 looks for by its module.
    """
    for one in config if isinstance(config, list) else ():
        _describe(layers, one)
    if not isinstance(config, dict):
        return
    for name, part in config.items():
        _describe(layers, part, wrapped=name in _WRAPPED)
    own = config.get("config")
    if not isinstance(own, dict) or "class_name" not in config:
        return
    for name in _PLACE:
        config.pop(name, None)
    if "output_layers" in own:
        _count_calls(own)
    kind = getattr(layers, str(config["class_name"]), None)
    if kind is None:
        return
    if wrapped:
        config["module"] = "keras.layers"
    for name in {*own} - {*_arguments(kind)}:
        if name in _GONE or (name in _LEFT and own[name] == _LEFT[name]):
            del own[name]


def _count_calls(own: dict[str, Any]) -> None:
    """Count the calls of models within a functional model from 0, as those of layers; a lone tensor is in no list.

    The calls of functions of TensorFlow are written otherwise: Keras 3 has no such layers, and says so.
    """
    classes = {layer.get("name"): layer["class_name"] for layer in own["layers"]}
    calls = [call for layer in own["layers"] for call in layer.get("inbound_nodes", ()) if isinstance(call, list)]
    for given in [given for call in calls for given in call if isinstance(given, list)]:
        given[1] -= classes.get(given[0]) in _MODELS
    ends = own["output_layers"]
    for given in ends.values() if isinstance(ends, dict) else ends:
        given[1] -= classes.get(given[0]) == "Sequential"  # of the others Keras expects it
    for end in ("input_layers", "output_layers"):
        if isinstance(own[end], list) and len(own[end]) == 1:
            (own[end],) = own[end]


def _arguments(kind: Any) -> Iterator[str]:
    """Yield the names of what a layer takes, and, as long as it passes others on, of what its bases take."""
    for base in kind.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            yield from (one.name for one in parameters)
            if all(one.kind != one.VAR_KEYWORD for one in parameters):
                return
