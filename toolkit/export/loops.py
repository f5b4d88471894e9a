"""Write out the loops and calls of a TensorFlow graph: one operator after the other, as converters know them.

A SavedModel has no recurrent layers that could be traced anew (``tracing.unrolled``), only the loops that they became.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.export.tracing import select

LOOPS = ("While", "StatelessWhile")
BRANCHES = ("If", "StatelessIf")
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_REMEDY = "save the model as .keras where it was made"


def has_loops(graph: Any) -> bool:
    """Say whether the operators of a GraphDef run functions of it."""
    return any(node.op in (*LOOPS, *BRANCHES, *CALLS) for node in graph.node)


def write_out(function: Any, library: Any, *, what: str) -> tuple[Any, str, str]:
    """Return a GraphDef without loops, and the names of its input, an operator, and of its output, a tensor.

    function: a concrete function of one input. library: the functions that it runs. what: names the model.
    ArtifactError if it depends on the rows that come in how often a loop runs.
    """
    tf = extras.load("tensorflow")
    (given,), written = function.inputs, tf.Graph()
    with written.as_default():
        rows = tf.compat.v1.placeholder(given.dtype, given.shape, name=given.op.name)
        (result,) = _Writer(tf, function.graph, library, what).outputs(function.graph, [rows])
        answer = tf.identity(result, name="answer")
    graph = tf.compat.v1.graph_util.extract_sub_graph(written.as_graph_def(), [rows.op.name, answer.op.name])
    return graph, rows.op.name, answer.name


class _Writer:
    """Writes operators into the graph that is open. What TensorFlow has as a list of tensors is a list here."""

    def __init__(self, tf: Any, whole: Any, library: Any, what: str) -> None:
        self._tf, self._whole, self._what = tf, whole, what
        self._definitions = {one.signature.name: one for one in library.function}
        self._graphs: dict[str, Any] = {}
        self._otherwise: dict[str, Callable[..., Any]] = {
            # Of a tensor of which it is not known how many rows it has, each is cut out when it is read.
            "TensorListFromTensor": lambda rows, shape: rows if rows.shape[0] is None else tf.unstack(rows),
            "TensorListReserve": lambda shape, count: [None] * int(self._known(count)),
            "TensorListGetItem": lambda rows, place, shape: rows[int(self._known(place))],
            "TensorListSetItem": lambda rows, place, row: _replaced(rows, int(self._known(place)), row),
            "TensorListStack": lambda rows, shape: tf.stack(rows),
            "TensorListLength": lambda rows: tf.constant(len(rows)),
            "Identity": lambda one: one,
            "SelectV2": partial(select, tf),
        }

    def outputs(self, graph: Any, given: Sequence[Any]) -> list[Any]:
        """Write what the graph of a function computes of its inputs, and return its outputs."""
        values = {one.name: value for one, value in zip(graph.inputs, given, strict=True)}
        for operator in graph.get_operations():
            if operator.outputs and operator.outputs[0].name not in values:
                results = self._write(operator, [values[one.name] for one in operator.inputs])
                values |= {one.name: result for one, result in zip(operator.outputs, results, strict=True)}
        return [values[one.name] for one in graph.outputs]

    def _write(self, operator: Any, inputs: list[Any]) -> Sequence[Any]:
        """Write one operator, or what it runs, and return its outputs."""
        kind = operator.type
        if kind in CALLS:
            return self.outputs(self._graph(operator, "f"), inputs)
        if kind in BRANCHES:
            branch = "then_branch" if self._known(inputs[0]) else "else_branch"
            return self.outputs(self._graph(operator, branch), inputs[1:])
        if kind in LOOPS:
            goes_on, body = (self._graph(operator, part) for part in ("cond", "body"))
            while self._known(*self.outputs(goes_on, inputs)):
                inputs = [self._counted(one) for one in self.outputs(body, inputs)]
            return inputs
        if kind in self._otherwise:
            return [self._otherwise[kind](*inputs)]
        if any(isinstance(one, list) for one in inputs):
            raise ArtifactError(f"{self._what}: computes with {kind} in a loop; {_REMEDY}")
        attributes = {name: one for name, one in operator.node_def.attr.items() if not name.startswith("_")}
        types = [one.dtype for one in operator.outputs]
        graph = self._tf.compat.v1.get_default_graph()
        made = graph.create_op(kind, inputs, types, name=operator.name, attrs=attributes, op_def=operator.op_def)
        return list(made.outputs)

    def _graph(self, operator: Any, part: str) -> Any:
        """Return the graph of a function that an operator runs."""
        name = operator.get_attr(part).name
        if name not in self._graphs:
            to_graph = extras.load("tensorflow.python.framework.function_def_to_graph").function_def_to_graph
            with self._whole.as_default():  # which knows the functions that this one runs
                self._graphs[name] = to_graph(self._definitions[name])
        return self._graphs[name]

    def _known(self, tensor: Any) -> Any:
        """Return the value of a tensor that is the same whatever rows come in; ArtifactError for another."""
        value = _value(tensor)
        if value is None:
            raise ArtifactError(f"{self._what}: has a loop or a branch that depends on the rows; {_REMEDY}")
        return value

    def _counted(self, one: Any) -> Any:
        """Return a counter of rounds as a constant: else each of its values would be worked out from the first on."""
        is_counter = not isinstance(one, list) and one.dtype.is_integer and one.shape.rank == 0
        value = _value(one) if is_counter else None
        return one if value is None else self._tf.constant(value, one.dtype)


def _value(tensor: Any) -> Any:
    """Return the value of a tensor that is constant, None of another."""
    util = extras.load("tensorflow.python.framework.tensor_util")
    value = util.constant_value(tensor)
    return util.try_evaluate_constant(tensor) if value is None else value


def _replaced(rows: list[Any], place: int, row: Any) -> list[Any]:
    return [*rows[:place], row, *rows[place + 1 :]]
