"""Model architectures: one module a model, each with ``build``. Building needs TensorFlow.

A member that is a family also has ``OPTIONS``, which parses the text after the colon of ``tiny:width=8,depth=3``, and
makes the default without one. Its ``build`` gets the result as ``options``.

A model of the user's own is a Python file with such a ``build``, or a Keras file, whose weights are trained further.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

from toolkit import extras, registry
from toolkit.errors import UsageError

# The activations of hidden layers that are offered; all have kernels in LiteRT and ONNX Runtime.
ACTIVATIONS = ("relu", "sigmoid", "tanh", "elu", "relu6", "leaky_relu")
CODE_SUFFIX = ".py"
WEIGHTS_SUFFIX = ".keras"


def check(model: str) -> str:
    """Return a model as it is recorded: all of its options in one order.

    Raises UsageError for what is neither a member with options that it takes, nor the name of a file of the user's.
    """
    if own_files(model):
        return model
    name, known = name_of(model), registry.names(__name__)
    if name not in known:
        allowed = (
            f"{', '.join(known)}, a Python file with build(keras, *, input_shape, classes, activation), or a trained "
            f"model in a {WEIGHTS_SUFFIX} file"
        )
        raise UsageError(f"unknown model '{name}'; allowed: {allowed}")
    options = _options(model, registry.member(__name__, name, kind="model"))
    return ":".join([name, *map(str, options.values())])


def name_of(model: str) -> str:
    """Return what a model, its runs and its artifacts are called: a member without its options, or a file's stem."""
    return Path(model).stem if own_files(model) else model.partition(":")[0]


def short(model: str) -> str:
    """Return the name that tells a model from all others: a member with its options, or a file's stem."""
    return name_of(model) if own_files(model) else model


def _options(model: str, member: ModuleType) -> dict[str, Any]:
    """Return what the ``build`` of a member takes besides the others' arguments."""
    name, colon, text = model.partition(":")
    kind = getattr(member, "OPTIONS", None)
    if kind is None and colon:
        raise UsageError(f"the model '{name}' takes no options, '{text}' was given; give it as {name}")
    if kind is None:
        return {}
    return {"options": kind.parse(text) if colon else kind()}


def own_files(model: str) -> tuple[Path, ...]:
    """Return the user's own file, of either kind; none for a model of the registry."""
    return (*code_files(model), *weights_files(model))


def code_files(model: str) -> tuple[Path, ...]:
    """Return the user's own Python file that builds the model, if it is one."""
    return (Path(model),) if model.endswith(CODE_SUFFIX) else ()


def weights_files(model: str) -> tuple[Path, ...]:
    """Return the Keras file that training starts from, if it is one."""
    return (Path(model),) if model.endswith(WEIGHTS_SUFFIX) else ()


def build(name: str, *, input_shape: tuple[int, ...], classes: int, activation: str = "relu") -> Any:
    """Return an unfitted ``keras.Model``: rows (N, *input_shape) float32 to probabilities (N, classes).

    input_shape: (H, W, C) of images, which are in [0, 1]. name: of a member, with options or without, or the path of a
    user's own file, whose model may take rows of another shape. Raises UsageError if that builds no such model.
    """
    from toolkit.runtimes.keras.loading import functional

    keras = extras.load("keras")
    if not code_files(name):
        module = registry.member(__name__, name_of(name), kind="model")
        options = _options(name, module)
        return module.build(keras, input_shape=input_shape, classes=classes, activation=activation, **options)
    (path,) = code_files(name)
    module = registry.from_file(path)
    if not callable(getattr(module, "build", None)):
        raise UsageError(f"{path}: has no function build(keras, *, input_shape, classes, activation)")
    try:
        model = module.build(keras, input_shape=input_shape, classes=classes, activation=activation)
        if not isinstance(model, keras.Model):
            raise TypeError(f"it returns {type(model).__name__}; it must return a keras.Model")
        model = functional(keras, model, path, input_shape=input_shape)
        answer = model.output_shape
    except Exception as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise UsageError(f"{path}: build(keras, input_shape={input_shape}, classes={classes}, …): {why}") from error
    if answer != (None, classes):
        raise UsageError(
            f"{path}: build returns a model of {model.input_shape} to {answer}; it must be one of rows "
            f"(batch, *input_shape) to (batch, classes), here {(None, *input_shape)} to {(None, classes)}"
        )
    return model
