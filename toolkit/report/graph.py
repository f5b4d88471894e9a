"""The graph of a model file: what it computes, operator by operator, and a picture of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit import runtimes, units
from toolkit.console import figure_columns, text_columns
from toolkit.errors import UsageError
from toolkit.report import style, svg
from toolkit.report.markup import Markup, element
from toolkit.runtimes.base.graph import Node
from toolkit.worker.session import contained

# gives: the shape of what it gives out. takes: the operators whose outputs it takes.
COLUMNS = (
    *text_columns("operator", "name"),
    *figure_columns("gives", "parameters", "MACs", "weights"),
    *text_columns("takes", "kernels"),
)
# Of more operators than this a picture shows nothing.
MOST_DRAWN = 400
# Characters of a name in a picture.
_LONGEST = 46
_BOX, _HEIGHT, _GAP, _MARGIN = 470.0, 36.0, 18.0, 6.0
# How far a line that passes operators by reaches to the left, for each of them and at most.
_REACH, _FARTHEST = 14.0, 150.0


@dataclass(frozen=True)
class Graph:
    """A model file, operator by operator, as this machine executes it."""

    path: Path
    runtime: str
    size_bytes: int
    nodes: tuple[Node, ...]

    @property
    def parameters(self) -> int:
        """Of how many numbers its constants are."""
        return sum(node.parameters for node in self.nodes)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one inference; None if those of an operator are not known."""
        counts = [node.operator.macs for node in self.nodes]
        return None if None in counts else sum(count for count in counts if count)

    @property
    def weight_bytes(self) -> int:
        """Bytes of its constants, as the kernels take them."""
        return sum(node.operator.weight_bytes for node in self.nodes)

    @property
    def kernels(self) -> dict[str, int]:
        """How many operators each set of kernels executes."""
        return dict(Counter(node.operator.kernels for node in self.nodes))

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """What COLUMNS have of each operator."""
        return [_row(place, node) for place, node in enumerate(self.nodes)]

    def __str__(self) -> str:
        macs = "an unknown number of" if self.macs is None else f"{self.macs:,}"
        return (
            f"{units.count(len(self.nodes), 'operator')}, {self.parameters:,} parameters, {macs} multiply-accumulates "
            f"(MACs) of one inference, {units.size(self.weight_bytes)} of weights"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit show --json``."""
        return {
            "schema": 1,
            "command": "show",
            "file": str(self.path),
            "runtime": self.runtime,
            "size_bytes": self.size_bytes,
            "parameters": self.parameters,
            "macs": self.macs,
            "weight_bytes": self.weight_bytes,
            "kernels": self.kernels,
            "nodes": [_flat(node) for node in self.nodes],
        }


def _row(place: int, node: Node) -> tuple[str, ...]:
    operator = node.operator
    return (
        f"{place} {operator.name}",
        shortened(node.name),
        shape(node.shape),
        f"{node.parameters:,}" if node.parameters else "",
        "not known" if operator.macs is None else f"{operator.macs:,}" if operator.macs else "",
        units.size(operator.weight_bytes) if operator.weight_bytes else "",
        ", ".join("input" if before < 0 else str(before) for before in node.takes),
        operator.kernels,
    )


def _flat(node: Node) -> dict[str, Any]:
    """Return a node with its operator's figures beside its own; the operator's name is its kind."""
    operator = asdict(node.operator)
    kind = operator.pop("name")
    own = {"name": node.name, "shape": node.shape, "parameters": node.parameters, "takes": node.takes}
    return {"operator": kind, **own, **operator}


def read(path: Path) -> Graph:
    """Return the graph of a file, which is opened in a worker; ArtifactError if it is missing or damaged."""
    with contained() as workers:
        nodes = tuple(workers.nodes(path))
    return Graph(path, runtimes.for_file(path), path.stat().st_size, nodes)


def draw(graph: Graph) -> Markup:
    """Return a picture: a box for each operator, one below the other, with lines to those that take what it gives out.

    UsageError for more than MOST_DRAWN operators.
    """
    if len(graph.nodes) > MOST_DRAWN:
        raise UsageError(f"{graph.path}: has {len(graph.nodes):,} operators; {MOST_DRAWN} are drawn at most")
    passed = [place - before - 1 for place, node in enumerate(graph.nodes) for before in node.takes]
    left = _MARGIN + 0.75 * _reach(max(passed, default=0))  # of a curve's handles three quarters
    boxes = [_box(left, -1, "input", "", "")]
    lines = []
    for place, node in enumerate(graph.nodes):
        lines += [_edge(left, before, place) for before in node.takes]
        boxes.append(_box(left, place, node.operator.name, shortened(node.name), shape(node.shape), _cost(node)))
    says = f"{graph.path.name}: {len(graph.nodes)} operators, {graph.parameters:,} parameters"
    return svg.picture(left + _BOX + _MARGIN, _top(len(graph.nodes)), *lines, *boxes, says=says)


def standalone(picture: Markup) -> str:
    """Return a picture as a file of its own, with its colours."""
    start, _, rest = picture.partition(">")
    look = element("style", Markup(f"{style.COLOURS}\nsvg {{ background: var(--paper); }}"))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{start}>{look}{rest}\n'


def shortened(name: str) -> str:
    """Return a name that fits; converters join the names of all layers that an operator stands for."""
    first = name.partition(";")[0]
    return first if len(first) <= _LONGEST else f"…{first[1 - _LONGEST :]}"


def shape(sizes: Sequence[int] | None) -> str:
    """Return a shape in words."""
    return "shape not known" if sizes is None else "×".join(map(str, sizes)) or "one number"


def _cost(node: Node) -> str:
    parts = [f"{node.operator.macs:,} MACs"] if node.operator.macs else []
    parts += [units.size(node.operator.weight_bytes)] if node.operator.weight_bytes else []
    return ", ".join(parts)


def _top(place: int) -> float:
    """Return where the box at a place begins; the input is at -1."""
    return _MARGIN + (place + 1) * (_HEIGHT + _GAP)


def _reach(passed: int) -> float:
    """Return how far to the left a line reaches that passes so many operators by."""
    return min(_FARTHEST, _REACH * (passed + 1)) if passed else 0.0


def _box(left: float, place: int, kind: str, name: str, gives: str, cost: str = "") -> Markup:
    top, right = _top(place), left + _BOX
    parts = [
        svg.bar(left, top, _BOX, _HEIGHT, "box"),
        svg.text(left + 9, top + (15 if name else 22), kind, look="name"),
        svg.text(left + 9, top + 29, name, look="tick"),
        svg.text(right - 9, top + 15, gives, anchor="end"),
        svg.text(right - 9, top + 29, cost, anchor="end", look="tick"),
    ]
    return element("g", *parts)


def _edge(left: float, before: int, place: int) -> Markup:
    """Return a line from an operator to one that takes what it gives out: to the next, or past those between."""
    start, end, passed = _top(before) + _HEIGHT, _top(place), place - before - 1
    middle = left + _BOX / 2
    if not passed:
        return element("g", svg.line(middle, start, middle, end, "edge"), _tip(middle, end, across=False))
    outside = left - _reach(passed)
    start, end = start - _HEIGHT / 2, end + _HEIGHT / 2
    curve = f"M {left:g} {start:g} C {outside:g} {start:g} {outside:g} {end:g} {left:g} {end:g}"
    return element("g", element("path", d=curve, class_="edge"), _tip(left, end, across=True))


def _tip(x: float, y: float, *, across: bool) -> Markup:
    """Return the tip of an arrow that ends at a point, from the left or from above."""
    sides = [(x - 7, y - 3.5), (x - 7, y + 3.5)] if across else [(x - 3.5, y - 7), (x + 3.5, y - 7)]
    return svg.path([(x, y), *sides], "solid", closed=True)
