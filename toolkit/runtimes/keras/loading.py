"""Load model files of Keras. The code that they hold or name runs only if the user allows it."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from toolkit import extras, registry
from toolkit.errors import ArtifactError
from toolkit.files import documents, opened
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.files.zips import opened_zip
from toolkit.runtimes.base import as_artifact_error
from toolkit.runtimes.keras import fake_quantization, frozen, older

# Keras' own older format, which is read but not written.
HDF5_SUFFIXES = (".h5", ".hdf5")
_OLDER_FORMAT = "Keras {version} saved it, whose .keras files Keras 3 does not load; save it there as .h5"
# What a configuration says the module of a function is, and where Keras' own are.
_FUNCTIONS = "builtins"
# What makes the layers of this project known to Keras, by the names that it gives them.
_OWN = {frozen.REGISTERED: frozen.layer} | dict.fromkeys(fake_quantization.REGISTERED, fake_quantization.layers)
_KINDS_OF_FUNCTIONS = ("activations", "constraints", "initializers", "losses", "metrics", "regularizers")


@dataclass(frozen=True)
class Allowed:
    """The code that model files may run besides Keras' own. objects: of the user's own Python files, by name."""

    files: tuple[Path, ...] = ()
    objects: Mapping[str, Any] = field(default_factory=dict)
    unsafe_lambda: bool = False


_ALLOWED = ContextVar("_ALLOWED", default=Allowed())  # noqa: B039 — it is frozen


@contextmanager
def allowing(files: Sequence[str | PathLike[str]], *, unsafe_lambda: bool = False) -> Iterator[None]:
    """Let the models that are loaded in the block use the layers and functions of the user's own Python files.

    unsafe_lambda: also let them run the Python code that they hold themselves. What a block around it allows stays
    allowed. Raises UsageError for a file that cannot be imported, MissingExtraError without TensorFlow.
    """
    before = _ALLOWED.get()
    objects = dict(before.objects)
    if files:
        extras.load("keras")  # before the files import it: with the settings of this project
    paths = tuple(Path(file) for file in files)
    for file in paths:
        module = registry.from_file(file)
        objects |= {name: one for name, one in vars(module).items() if getattr(one, "__module__", "") == file.stem}
    every = tuple(dict.fromkeys((*before.files, *paths)))
    token = _ALLOWED.set(Allowed(every, objects, unsafe_lambda or before.unsafe_lambda))
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def allowed() -> Allowed:
    """Return what the block that this is called in allows."""
    return _ALLOWED.get()


def load_model(path: Path) -> Any:
    """Load a ``.keras`` or ``.h5`` file for inference, as a functional or a sequential model.

    Raises ArtifactError if it is missing, damaged or not a model, or needs code that is not allowed (``allowing``).
    """
    is_hdf5 = path.suffix in HDF5_SUFFIXES
    config, version = _hdf5_config(path) if is_hdf5 else _config(path)
    keras = extras.load("keras")
    code = allowed()
    is_older = version.startswith(older.VERSION)
    what = "Keras cannot load it" if is_hdf5 or not is_older else _OLDER_FORMAT.format(version=version)
    if needed := _missing_code(keras, config, path, code):
        if is_older and not is_hdf5:  # of Keras 2 also its own models are named there
            raise ArtifactError(f"{path}: {what}")
        raise ArtifactError(
            f"{path}: is made with {', '.join(needed)}, which Keras does not have; give the Python file that "
            "defines it by --import"
        )
    opening = older.readable(path, config) if is_hdf5 and is_older else nullcontext(path)
    with as_artifact_error(path, what), opening as file:
        model = keras.saving.load_model(
            file, custom_objects=dict(code.objects), compile=False, safe_mode=not code.unsafe_lambda
        )
        return functional(keras, model, path)


def _config(path: Path) -> tuple[Any, str]:
    """Return the configuration of a .keras file, and the version of Keras that wrote it.

    ArtifactError if it is none, or has parts that are too large.
    """
    with opened_zip(path, what="a whole .keras file", error=ArtifactError) as archive:
        for member in archive.infolist():
            if member.filename.endswith(".json") and member.file_size > documents.MOST_BYTES:
                raise ValueError(f"{member.filename!r} claims {member.file_size:,} bytes")
            if member.filename.endswith(".h5"):
                with extras.load("h5py").File(io.BytesIO(archive.read(member)), "r") as root:
                    _check_arrays(root, member.file_size)
        config = documents.parse(archive.read("config.json"), path, what="a Keras model", finite=False)
        config.pop("compile_config", None)  # of the training, which is not loaded
        told = "metadata.json" in archive.namelist()
        metadata = documents.parse(archive.read("metadata.json"), path, what="a Keras model") if told else {}
        return config, str(metadata.get("keras_version"))


def _hdf5_config(path: Path) -> tuple[Any, str]:
    """Return the configuration of an HDF5 file, and the version of Keras that wrote it.

    ArtifactError if it is none, or its arrays do not lie in it.
    """
    h5py = extras.load("h5py")
    what = "a Keras model in HDF5"
    with opened(path) as file, decoding(path, what, error=ArtifactError), h5py.File(file, "r") as root:
        size = path.stat().st_size
        check_memory(size, what=f"{path}: what it holds", error=ArtifactError)
        _check_arrays(root, size)
        if "model_config" not in root.attrs:
            raise ArtifactError(f"{path}: holds weights without a model; save the whole model, best as .keras")
        config, version = (_bytes(root.attrs.get(name, "")) for name in ("model_config", "keras_version"))
        return documents.parse(config, path, what="a Keras model", finite=False), version.decode(errors="replace")


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode(errors="surrogatepass")


def _check_arrays(root: Any, size_bytes: int) -> None:
    """Raise ValueError unless the arrays of an open HDF5 file lie in its ``size_bytes`` as they are.

    Keras writes no others. Compressed ones can claim gigabytes, and external and virtual ones lie in other files.
    """
    elsewhere = "is chunked or lies in other files, as Keras writes none; save the model again with Keras"
    left = size_bytes

    def check(name: str, item: Any) -> None:
        nonlocal left
        if not hasattr(item, "nbytes"):  # a group
            return
        if item.chunks or item.external or item.is_virtual:
            raise ValueError(f"its array '{name}' {elsewhere}")
        left -= item.nbytes
        if left < 0:
            raise ValueError(f"its arrays claim more than its {size_bytes:,} bytes")

    # External links are not visited as items. An error within this call would come out as one of h5py.
    linked = root.visititems_links(lambda name, link: name if hasattr(link, "filename") else None)
    if linked is not None:
        raise ValueError(f"its array '{linked}' {elsewhere}")
    root.visititems(check)


def _missing_code(keras: Any, config: Any, path: Path, allowed: Allowed) -> list[str]:
    """Return the names of the code that a model's configuration needs and Keras does not have, without what is allowed.

    ArtifactError if it holds code that is not allowed.
    """
    needed: set[str] = set()
    left = [config]
    while left:
        one = left.pop()
        left += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        kind = one.get("class_name") if isinstance(one, dict) else None
        if kind is not None and (make := _OWN.get(str(one.get("registered_name")))):
            make()
        if kind == "__lambda__" or (kind == "Lambda" and one.get("config", {}).get("function_type") == "lambda"):
            if allowed.unsafe_lambda:
                continue
            raise ArtifactError(
                f"{path}: has a Lambda layer, which is Python code inside the file; give --unsafe-lambda if you trust "
                "whoever made the file, or make the layer a class and give its Python file by --import"
            )
        # Of what a script or a notebook defines itself, Keras writes no module.
        if kind is not None and "module" in one and not _is_of_keras(keras, one):
            module = one["module"]
            name = str(one.get("config") if kind == "function" else kind)
            registered = name if kind == "function" else str(one.get("registered_name") or name)
            if name not in allowed.objects and not keras.saving.get_registered_object(registered, allowed.objects):
                needed.add(name if module in (None, _FUNCTIONS) else f"{name} ({module})")
    return sorted(needed)


def _is_of_keras(keras: Any, described: Mapping[str, Any]) -> bool:
    """Say whether what a configuration describes is Keras' own; it calls functions builtins, whosever they are."""
    if described["module"] == _FUNCTIONS and described["class_name"] == "function":
        return any(hasattr(getattr(keras, kind), str(described["config"])) for kind in _KINDS_OF_FUNCTIONS)
    return str(described["module"]).partition(".")[0] in ("keras", _FUNCTIONS)


def functional(keras: Any, model: Any, path: Path, *, input_shape: Sequence[int] = ()) -> Any:
    """Return the model, for any number of rows, or, if it does not tell its inputs, a functional one around it.

    input_shape: of one image; else that with which the model was built. ArtifactError if neither is known.
    """
    if getattr(model, "inputs", None):
        return _of_any_batch(keras, _plain(keras, model))
    built = (model.get_build_config() or {}).get("input_shape", ())
    shape = input_shape or (built[1:] if isinstance(built, (tuple, list)) else ())
    if not shape or not all(size is None or isinstance(size, int) for size in shape):
        raise ArtifactError(f"{path}: does not tell its one input; call the model on an image before it is saved")
    image = keras.Input(shape, name="image")
    return keras.Model(image, model(image), name=model.name)


def _plain(keras: Any, model: Any) -> Any:
    """Return a model that takes and gives its one tensor by itself, and not in a dictionary or a list."""
    if isinstance(model, keras.Sequential) or len(model.inputs) > 1 or len(model.outputs) > 1:
        return model
    if all(hasattr(one, "shape") for one in (model.input, model.output)):
        return model
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def keeps_state(model: Any) -> list[str]:
    """Return the names of the layers that keep a state from one call to the next."""
    return [layer.name for layer in model._flatten_layers() if getattr(layer, "stateful", False)]


def _of_any_batch(keras: Any, model: Any) -> Any:
    """Return a model of one input with the same layers, called anew if it takes a fixed number of rows at a time.

    One whose layers keep a state of each of those rows stays as it is.
    """
    shape = model.input_shape
    if not isinstance(shape, tuple) or shape[0] is None or keeps_state(model):
        return model
    rows = keras.Input(shape[1:], dtype=model.inputs[0].dtype, name=model.inputs[0].name)
    return keras.Model(rows, model.call(rows), name=model.name)
