"""A SavedModel folder as a Keras file: what its signature computes, frozen, in one layer.

To load a SavedModel is to let TensorFlow make what the file says. So its operators are checked first, without loading
it, and then it is loaded in a process of its own, whose time and memory are limited.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.data.base.pixels import chunks
from toolkit.errors import ArtifactError
from toolkit.export.loops import has_loops, write_out
from toolkit.files import atomic, opened, sha256
from toolkit.files.kept import Kept
from toolkit.files.memory import check_memory
from toolkit.golden import VALUE_RANKS
from toolkit.runtimes.base import PREDICT_BATCH, as_artifact_error
from toolkit.runtimes.keras import frozen
from toolkit.worker.child import Task
from toolkit.worker.process import Process

FILE = "saved_model.pb"
FOLDER = "saved-models"
# Grows when a SavedModel comes to be frozen in another way.
VERSION = 2
# Signatures that are taken, in this order; another one if it is alone.
SIGNATURES = ("serving_default", "serve")
# Operators on the model's own variables, and how a SavedModel keeps them. Only the signature's graph is run.
VARIABLES = {"VarHandleOp", "ReadVariableOp", "ResourceGather", "NoOp", "DisableCopyOnRead"}
# Constants with more values are weights of the layer; others stay in its graph.
LARGEST_CONSTANT = 64
# Seconds that loading and freezing may take.
PATIENCE_S = 300.0


def to_keras(folder: Path) -> Path:
    """Return a Keras file that computes what the signature of a SavedModel does; it is kept in the user's cache.

    Raises ArtifactError for what is no SavedModel with one image and one answer, or computes with more than numbers.
    """
    signature = _check(folder)
    kept = Kept(FOLDER, {"version": VERSION, "files": digest(folder)})
    path = kept.path.with_suffix("") / f"{folder.resolve().name}.keras"
    if not path.is_file() or sha256(path) != kept.read(str):
        with atomic(path) as temporary:
            _ask(folder, {"do": FREEZE, "path": str(folder), "signature": signature, "target": str(temporary)})
        kept.write(sha256(path))
    return path


def prove(folder: Path, outputs: NDArray[np.float32], values: NDArray[np.float32], *, tolerance: float) -> None:
    """Raise ArtifactError if a SavedModel answers values of the input, (N, …), differently than with ``outputs``."""
    question = {"do": ANSWER, "path": str(folder), "signature": _check(folder), "shape": values.shape}
    answer, content = _ask(folder, question, values.tobytes())
    expected = np.frombuffer(content, np.float32).reshape(answer["shape"])
    difference = float(np.abs(expected - outputs).max()) if expected.shape == outputs.shape else float("inf")
    if not difference <= tolerance * max(1.0, float(np.abs(expected).max())):
        raise ArtifactError(
            f"{folder}: what was frozen of it answers differently (an output differs by {difference:.2g})"
        )


def _ask(folder: Path, question: dict[str, Any], content: bytes = b"") -> tuple[dict[str, Any], bytes]:
    process = Process(f"{folder}: TensorFlow", __name__, patience_s=PATIENCE_S)
    try:
        return process.ask(question, content)
    finally:
        process.close()


def digest(folder: Path) -> str:
    """Return one digest of all files of a SavedModel."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.stat().st_size)
    lines = (f"{file.relative_to(folder)} {sha256(file)}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check(folder: Path) -> str:
    """Return the name of the signature that is taken, once it is known that nothing else than numbers is computed."""
    path = folder / FILE
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    check_memory(size, what=str(folder), error=ArtifactError)
    with opened(path) as file:
        content = file.read()
    try:
        saved = extras.load("tensorflow.core.protobuf.saved_model_pb2").SavedModel.FromString(content)
    except Exception as error:  # DecodeError, of a package that is not imported here
        raise ArtifactError(f"{path}: no SavedModel of TensorFlow") from error
    if len(saved.meta_graphs) != 1 or not saved.meta_graphs[0].HasField("object_graph_def"):
        raise ArtifactError(f"{folder}: of TensorFlow 1, or of several graphs; save it again with TensorFlow 2")
    (graph,) = saved.meta_graphs
    kinds = {node.WhichOneof("kind") for node in graph.object_graph_def.nodes}
    if kinds & {"resource", "asset"}:
        raise ArtifactError(f"{folder}: has tables or files beside its weights; export the part that takes images")
    names = [name for name in graph.signature_def if not name.startswith("__")]
    name = next((one for one in SIGNATURES if one in names), names[0] if len(names) == 1 else None)
    if name is None:
        raise ArtifactError(
            f"{folder}: its signatures are {', '.join(sorted(names)) or 'none'}; allowed: {SIGNATURES[0]}"
        )
    signature = graph.signature_def[name]
    for what, tensors in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        if len(tensors) != 1:
            raise ArtifactError(f"{folder}: has {len(tensors)} {what}; a classifier of images has one of each")
    (answer,) = signature.outputs.values()
    frozen.require_pure(_reached(graph.graph_def, answer.name), what=str(folder), also=VARIABLES)
    return str(name)


def _reached(graph: Any, tensor: str) -> list[Any]:
    """Return the nodes that a tensor of a GraphDef is computed by, those of the functions that they call too."""
    nodes, functions = {node.name: node for node in graph.node}, {f.signature.name: f for f in graph.library.function}
    reached: list[Any] = []
    left, names = [tensor], set()
    while left:
        name = left.pop().lstrip("^").partition(":")[0]
        if name in nodes and name not in names:
            names.add(name)
            reached.append(nodes[name])
            left += nodes[name].input
    called: set[str] = set()
    for node in reached:  # grows
        for attribute in node.attr.values():
            for one in (attribute.func.name, *(func.name for func in attribute.list.func)):
                if one in functions and one not in called:
                    called.add(one)
                    reached += functions[one].node_def
    return reached


def _freeze(
    kept: dict[str, Any], content: bytes, *, path: str, signature: str, target: str
) -> tuple[dict[str, Any], bytes]:
    """Write the Keras file; in a process of its own."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    constants = extras.load("tensorflow.python.framework.convert_to_constants")
    function = _loaded(kept, path, signature)
    concrete, graph = constants.convert_variables_to_constants_v2_as_graph(
        function, lower_control_flow=False, aggressive_inlining=True
    )
    (image,), (answer,) = concrete.inputs, concrete.outputs
    shape = image.shape.as_list() if image.shape.rank else []
    if len(shape) not in VALUE_RANKS or shape[0] is not None or answer.shape.rank != 2:
        raise ArtifactError(
            f"{path}: maps {image.shape} to {answer.shape}; a classifier maps (any number, …), of up to four sizes, to "
            "(the same number, classes)"
        )
    takes, gives = image.op.name, answer.name
    if has_loops(graph):
        with as_artifact_error(Path(path), "its loops cannot be written out"):
            graph, takes, gives = write_out(concrete, graph.library, what=path)
    weights = []
    for node in graph.node:
        if node.op == "Const" and node.attr["dtype"].type == tf.float32.as_datatype_enum:
            value = tf.make_ndarray(node.attr["value"].tensor)
            if value.size > LARGEST_CONSTANT:
                weights.append(value)
                node.op = "Placeholder"
                del node.attr["value"]
                node.attr["shape"].shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
    text = base64.b64encode(graph.SerializeToString()).decode()
    given = keras.Input(shape[1:], dtype=image.dtype.name, name="image")
    layer = frozen.layer()(graph=text, image=takes, answer=gives, name="graph")
    model = keras.Model(given, layer(given), name="frozen")
    layer.set_weights(weights)
    model.save(target)
    return {}, b""


def _answer(
    kept: dict[str, Any], content: bytes, *, path: str, signature: str, shape: list[int]
) -> tuple[dict[str, Any], bytes]:
    """Return what a SavedModel answers; in a process of its own."""
    tf = extras.load("tensorflow")
    function = _loaded(kept, path, signature)
    (name,), (spec,) = function.structured_input_signature[1], function.structured_input_signature[1].values()
    values = np.frombuffer(content, np.float32).reshape(shape)
    rows = [function(**{name: tf.cast(part, spec.dtype)}) for part in chunks(values, PREDICT_BATCH)]
    outputs = np.concatenate([next(iter(row.values())).numpy() for row in rows]).astype(np.float32)
    return {"shape": outputs.shape}, outputs.tobytes()


def _loaded(kept: dict[str, Any], path: str, signature: str) -> Any:
    """Return what a SavedModel computes; the model is kept, since its functions do not keep its variables."""
    with as_artifact_error(Path(path), "TensorFlow cannot load it"):
        kept["model"] = extras.load("tensorflow").saved_model.load(path)
    return kept["model"].signatures[signature]


FREEZE, ANSWER = "freeze", "answer"
TASKS: dict[str, Task] = {FREEZE: _freeze, ANSWER: _answer}
