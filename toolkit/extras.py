"""Import the packages that toolkit's extras install: late, quietly, and with an error that names the extra."""

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from toolkit.errors import MissingExtraError

# By the package, the first part of a module's name.
EXTRA_OF = {
    "ai_edge_litert": "litert",
    "tflite_micro": "micro",
    "onnxruntime": "onnx",
    "google": "onnx",
    "PIL": "edge",
    "tensorflow": "train",
    "keras": "train",
    "tf2onnx": "train",
    "onnx": "train",
    "matplotlib": "train",
    "pooch": "train",
    "requests": "train",
    "mlxtend": "train",
    "h5py": "train",
    "ray": "cluster",
    "optuna": "search",
    "starlette": "serve",
    "uvicorn": "serve",
    "uvloop": "serve",
    "segno": "serve",
}

# Set by a program of toolkit's, whose objects all stay until it ends: when a package has been loaded, none of them is
# looked through for garbage any more. TensorFlow has a million.
is_program = False

# Read by the packages when they are imported. TensorFlow's C++ log is for its developers (3 = errors only). ONNX
# Runtime starts a telemetry thread that writes files into the user's cache, unless it is told not to. Keras models are
# exported here on TensorFlow, whatever backend the user has chosen for other work.
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "ORT_DISABLE_TELEMETRY": "1",
    "KERAS_BACKEND": "tensorflow",
}


def installed(module: str) -> bool:
    """Say whether a package is there, without importing it."""
    return find_spec(module.partition(".")[0]) is not None


def require(*modules: str) -> None:
    """Raise MissingExtraError, which names the extra, if a package is not installed."""
    for module in modules:
        if not installed(module):
            raise missing(module)


def missing(module: str) -> MissingExtraError:
    """Return the error of a package that is not installed.

    It names no extra if none of toolkit's brings the package.
    """
    package = module.partition(".")[0]
    return MissingExtraError(package, EXTRA_OF.get(package))


def load(module: str) -> Any:
    """Import ``module`` and return it; MissingExtraError if it is not installed."""
    require(module)
    if module in sys.modules:
        return sys.modules[module]
    os.environ.update(ENVIRONMENT)
    # TensorFlow and LiteRT write to file descriptor 2 before any log level of theirs is in force. What an import makes
    # stays, and TensorFlow makes so much that looking through it for garbage takes long.
    try:
        with streams_to(Path(os.devnull)), without_collecting():
            return importlib.import_module(module)
    finally:  # also of an import that Ctrl-C ends, or the end of the program takes long
        if is_program:
            gc.freeze()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Look for no garbage in the block."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def streams_to(log: Path) -> Iterator[None]:
    """Append what this process writes to file descriptors 1 and 2, native code included, to ``log``."""
    _flush()
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            for descriptor, original in zip((1, 2), saved, strict=True):
                os.dup2(original, descriptor)
                os.close(original)


def _flush() -> None:
    """Empty Python's own buffers, so that what was printed before goes where it was meant to go."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
