"""ONNX Runtime on the CPU."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, locks
from toolkit.errors import ArtifactError
from toolkit.files import require_file, write_bytes
from toolkit.manifest import TensorSpec
from toolkit.portability import Portability
from toolkit.runtimes.base import Session, Traced, as_artifact_error, check_size, dequantize, reason
from toolkit.runtimes.base.graph import Node, Shapes
from toolkit.runtimes.onnxruntime import graph, saturation

SUFFIXES = (".onnx",)
PACKAGE = "onnxruntime"
DISTRIBUTIONS = ("onnxruntime",)
QUANTIZATIONS = None
# The graph as ONNX Runtime rewrites it for this CPU, and node by node as it is written in the file.
OPTIMIZED, AS_WRITTEN = "optimized", "as written"
KERNELS = (OPTIMIZED, AS_WRITTEN)
_LEVELS = {OPTIMIZED: "ORT_ENABLE_ALL", AS_WRITTEN: "ORT_DISABLE_ALL"}

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
# Makes int8 weights uint8 ones, whose kernels do not saturate but are slower. It does not load every graph: those in
# which two operators share a constant end in an error (https://github.com/microsoft/onnxruntime/pull/12088).
_PRECISION = ("session.x64quantprecision", "1")
# Rewrites the graph without bringing in integer kernels.
_BASIC = "ORT_ENABLE_BASIC"
_EXACTLY = f"opened with {_PRECISION[0]}, which is slower: its weights saturate on this CPU"
_IN_FLOAT = "computed in float32, which is slower: its integer kernels saturate on this CPU"
_NOT_EXACTLY = "its integer kernels saturate on this CPU, and ONNX Runtime cannot open it so that they do not"
# onnxruntime's log levels: 3 = errors.
_ERRORS_ONLY = 3


class OnnxSession(Session):
    """An ONNX Runtime session. Input and output are bound once, so that ``invoke`` is the inference alone."""

    def __init__(self, path: Path, session: Any) -> None:
        self.path = path
        self._session = session
        with as_artifact_error(path, "ONNX Runtime cannot describe it"):
            self.inputs = tuple(self._spec(tensor) for tensor in self._session.get_inputs())
            self.outputs = tuple(self._spec(tensor) for tensor in self._session.get_outputs())
        check_size(self.inputs, path=path)
        self._binding = self._session.io_binding()

    @property
    def free(self) -> set[str]:
        """What the file calls the first sizes of its inputs that are free."""
        return {
            tensor.shape[0]
            for tensor in self._session.get_inputs()
            if tensor.shape[:1] and isinstance(tensor.shape[0], str)
        }

    def resize(self, batch: int) -> None:
        """Nothing to do: the inputs that are bound next have their own batch."""

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Bind the inputs."""
        for spec, value in zip(self.inputs, values, strict=True):
            self._binding.bind_cpu_input(spec.name, value)
        for spec in self.outputs:
            self._binding.bind_output(spec.name)

    def invoke(self) -> None:
        """Run the session once."""
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # of the native module, with no base but Exception
            raise ArtifactError(f"{self.path}: ONNX Runtime cannot run it: {reason(error)}") from error

    @property
    def native_invoke(self) -> Callable[[], object]:
        """The session's own call."""
        return partial(self._session.run_with_iobinding, self._binding)

    def read_outputs(self) -> list[NDArray[Any]]:
        """Copy the outputs."""
        outputs: list[NDArray[Any]] = self._binding.copy_outputs_to_cpu()
        return outputs

    def _spec(self, tensor: Any) -> TensorSpec:
        if tensor.type not in _DTYPES:
            tensors = "; skl2onnx gives tensors with options={'zipmap': False}" if "map(" in tensor.type else ""
            allowed = f"allowed: {', '.join(_DTYPES)}{tensors}"
            raise ArtifactError(f"{self.path}: '{tensor.name}' is a {tensor.type}; {allowed}")
        shape = tuple(size if isinstance(size, int) else None for size in tensor.shape)
        return TensorSpec(name=tensor.name, shape=shape, dtype=np.dtype(_DTYPES[tensor.type]).name)


def _options(*, threads: int, kernels: str) -> Any:
    ort = extras.load(PACKAGE)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, _LEVELS[kernels])
    return options


def _session(path: Path, model: str | bytes, options: Any) -> Any:
    with as_artifact_error(path, "ONNX Runtime cannot load it"):
        return extras.load(PACKAGE).InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _require_whole(path: Path) -> None:
    """Raise ArtifactError if weights lie in another file: digests, sizes, bundles and devices are about one."""
    with as_artifact_error(path, "cannot be read as ONNX"):
        if graph.has_weights_elsewhere(path.read_bytes()):
            program = f"import onnx; onnx.save(onnx.load({str(path)!r}), 'whole.onnx')"
            raise ArtifactError(
                f'{path}: its weights lie in another file; python -c "{program}" makes one file of both'
            )


def open_session(path: Path, *, threads: int = 1, kernels: str | None = None) -> Session:
    """Load an ``.onnx`` file; ArtifactError if its weights lie in another one."""
    require_file(path)
    _require_whole(path)
    if kernels is not None:
        return OnnxSession(path, _session(path, str(path), _options(threads=threads, kernels=kernels)))
    return open_with(path, threads=threads)


def open_with(
    path: Path,
    *,
    threads: int = 1,
    change: Callable[[Any], None] = lambda options: None,
    kind: type[OnnxSession] = OnnxSession,
) -> OnnxSession:
    """Load an ``.onnx`` file, its SessionOptions changed. kind: of session, which decides how it is run."""

    def options() -> Any:
        made = _options(threads=threads, kernels=OPTIMIZED)
        change(made)
        return made

    opened, remark = _exactly(path, options)
    session = kind(path, opened)
    session.remark = remark
    return session


def _exactly(path: Path, options: Callable[[], Any]) -> tuple[Any, str | None]:
    """Open a file as ONNX Runtime does by itself, but so that its kernels do not saturate on this CPU.

    Return the session, and a remark if it is not the usual one.
    """
    told = portability(path) if saturation.saturates_here() else Portability()
    if not told.here:
        return _session(path, str(path), options()), None
    precise = options()
    precise.add_session_config_entry(*_PRECISION)
    with suppress(ArtifactError):
        return _session(path, str(path), precise), _EXACTLY
    usual = options()
    if told.right_as_written:
        usual.graph_optimization_level = getattr(extras.load(PACKAGE).GraphOptimizationLevel, _BASIC)
    return _session(path, str(path), usual), _IN_FLOAT if told.right_as_written else _NOT_EXACTLY


def portability(path: Path) -> Portability:
    """Return which layers of a quantized graph can saturate, and on which CPUs."""
    require_file(path)
    content = path.read_bytes()
    if not any(word in content for word in saturation.WORDS):
        return Portability()
    with as_artifact_error(path, "cannot be read as ONNX"):
        model = graph.parse(content)
    return saturation.analyse(model)


def trace(path: Path, values: NDArray[np.float32]) -> list[Traced]:
    """Run real values through a copy of the graph that gives out its inner tensors too.

    Of a quantized graph those are the quantized ones, which leave its integer kernels as they are; others would take
    them apart.
    """
    onnx = extras.load("onnx")
    session = open_session(path)
    model = onnx.load(path)
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    quantizers = {node.output[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    names = list(quantizers) or [name for node in model.graph.node for name in node.output]
    names = [name for name in names if name != session.output.name]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    opened = _session(path, model.SerializeToString(), _options(threads=1, kernels=KERNELS[0]))
    output, *tensors = opened.run([session.output.name, *names], {session.input.name: session.encode(values)})
    traced = []
    for name, value in zip(names, tensors, strict=True):
        if name in quantizers:
            scale, zero_point = (float(constants[constant]) for constant in quantizers[name].input[1:3])
            value = dequantize(value, TensorSpec(name, (), "", scale, int(zero_point)))
        traced.append(Traced(name, np.asarray(value, np.float32)))
    return [*traced, Traced(session.output.name, output)]


def nodes(path: Path, *, batch: int = 1, shapes: Shapes | None = None) -> list[Node]:
    """Return the nodes of the graph as ONNX Runtime rewrites it for this CPU; its kernels execute all of them."""
    model = _rewritten(path)
    session = OnnxSession(path, _session(path, graph.with_every_output(model), _options(threads=1, kernels=AS_WRITTEN)))
    session.fix(shapes or {})
    if session.has_free_sizes:
        return graph.nodes(model, {}, set(), kernels=OPTIMIZED)
    session.set_inputs([np.zeros([size or batch for size in spec.shape], spec.dtype) for spec in session.inputs])
    session.invoke()
    made = dict(zip(graph.outputs(model), session.read_outputs(), strict=True))
    one_byte = {name for name, value in made.items() if value.dtype.itemsize == 1}
    flowing: dict[str, tuple[int, ...]] = {name: value.shape for name, value in made.items()}
    flowing |= {spec.name: tuple(size or batch for size in spec.shape) for spec in session.inputs}
    return graph.nodes(model, flowing, one_byte, kernels=OPTIMIZED)


def prefixes(path: Path, *, threads: int = 1) -> list[Session]:
    """Return the rewritten graph cut off after none of its nodes, after the first, … after all."""
    options = partial(_options, threads=threads, kernels=AS_WRITTEN)
    return [OnnxSession(path, _session(path, content, options())) for content in graph.prefixes(_rewritten(path))]


def write_probe(path: Path, *, arithmetic: str, rows: int, width: int) -> bool:
    """Write an artifact of one dense layer."""
    write_bytes(path, graph.dense(arithmetic=arithmetic, rows=rows, width=width))
    return True


def _rewritten(path: Path) -> Any:
    """Return the graph as ONNX Runtime rewrites it for this CPU."""
    require_file(path)
    with locks.scratch() as folder:
        rewritten = folder / "rewritten.onnx"

        def options() -> Any:
            made = _options(threads=1, kernels=OPTIMIZED)
            made.optimized_model_filepath = str(rewritten)
            return made

        _exactly(path, options)
        return graph.parse(rewritten.read_bytes())


def devices() -> tuple[str, ...]:
    """Return the CPU: sessions are opened on nothing else."""
    return ("CPU",)
