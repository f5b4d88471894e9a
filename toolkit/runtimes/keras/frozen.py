"""A graph of TensorFlow as a layer of Keras: what a SavedModel becomes, which holds no layers of its own.

Nothing in such a graph reads or writes files, calls Python, or keeps a state: that is checked before it is run.
"""

import base64
from collections.abc import Iterable
from functools import cache
from typing import Any

from toolkit import extras, units
from toolkit.errors import ArtifactError

# Keras' name for the layer.
REGISTERED = "toolkit>FrozenGraph"
# Stateful operators that do nothing but hand over inputs, or run parts of the same graph.
HARMLESS = {
    "Placeholder",
    "PlaceholderWithDefault",
    "PartitionedCall",
    "StatefulPartitionedCall",
    "While",
    "If",
    "Case",
}
# How many operators a message names.
NAMED = 3


def require_pure(nodes: Iterable[Any], *, what: str, also: Iterable[str] = ()) -> None:
    """Raise ArtifactError, naming them, for operators that do more than compute numbers of numbers.

    nodes: of a graph and of its functions. also: the names of stateful operators that are expected there.
    """
    registry = extras.load("tensorflow.python.framework.op_def_registry")
    string = extras.load("tensorflow").string.as_datatype_enum
    harmless = HARMLESS | {*also}
    bad = set()
    for node in nodes:
        known = registry.get(node.op)
        texts = any(attribute.type == string or string in attribute.list.type for attribute in node.attr.values())
        fixed = known is not None and any(one.type == string for one in (*known.input_arg, *known.output_arg))
        if known is None or texts or fixed or (known.is_stateful and node.op not in harmless):
            bad.add(node.op)
    if bad:
        raise ArtifactError(
            f"{what}: computes with {units.first(sorted(bad), NAMED)}, which may do more than compute numbers; export "
            "the part of the model that takes images, or save it as .keras where it was made"
        )


def nodes_of(graph: Any) -> list[Any]:
    """Return the nodes of a GraphDef and of its functions."""
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


@cache
def layer() -> Any:
    """Return the class of the layer, known to Keras from then on."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")

    @keras.saving.register_keras_serializable("toolkit")
    class FrozenGraph(keras.layers.Layer):  # type: ignore[misc,name-defined]
        """graph: a serialized GraphDef in base64, whose placeholders are the image and the weights."""

        def __init__(self, graph: str, image: str, answer: str, **options: Any) -> None:
            super().__init__(trainable=False, **{name: one for name, one in options.items() if name != "trainable"})
            self.graph, self.image, self.answer = graph, image, answer
            self._definition = tf.compat.v1.GraphDef.FromString(base64.b64decode(graph))
            require_pure(nodes_of(self._definition), what=f"the layer '{self.name}'")
            self._eagerly = tf.function(self._compute, autograph=False)

        def build(self, input_shape: Any) -> None:
            """Make a weight of each placeholder but the image."""
            self._places: list[tuple[str, Any]] = []
            for node in self._definition.node:
                if node.op == "Placeholder" and node.name != self.image:
                    shape = tf.TensorShape(node.attr["shape"].shape).as_list()
                    dtype = tf.as_dtype(node.attr["dtype"].type).name
                    name = f"constant_{len(self._places)}"
                    weight = self.add_weight(shape=shape, dtype=dtype, initializer="zeros", trainable=False, name=name)
                    self._places.append((node.name, weight))

        def call(self, images: Any) -> Any:
            """Run the graph."""
            weights = [tf.convert_to_tensor(weight) for _, weight in self._places]
            return (self._eagerly if tf.executing_eagerly() else self._compute)(images, *weights)

        def _compute(self, images: Any, *weights: Any) -> Any:
            given = {f"{name}:0": weight for (name, _), weight in zip(self._places, weights, strict=True)}
            (node,) = (node for node in self._definition.node if node.name == self.image)
            given[f"{self.image}:0"] = tf.cast(images, tf.as_dtype(node.attr["dtype"].type))
            (answer,) = tf.graph_util.import_graph_def(self._definition, given, [self.answer], name="frozen")
            return answer

        def get_config(self) -> dict[str, Any]:
            """Return what makes the layer again, without its weights."""
            return {**super().get_config(), "graph": self.graph, "image": self.image, "answer": self.answer}

    return FrozenGraph
