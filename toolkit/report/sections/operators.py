"""What an artifact computes, operator by operator, as this machine executes it."""

import shlex

from toolkit import units
from toolkit.console import Column
from toolkit.report import graph
from toolkit.report.graph import Graph
from toolkit.report.markup import Markup, code, element, joined, paragraph, table
from toolkit.report.sections.base import Section
from toolkit.report.subject import Subject
from toolkit.runtimes.base import Node

ORDER, TITLE = 100, "What it computes"
# Operators that are drawn, and that are listed.
MOST_DRAWN, MOST_LISTED = 40, 120
_COLUMNS = (
    Column(""),
    Column("operator", figures=False),
    Column("gives"),
    Column("parameters"),
    Column("MACs"),
    Column("weights"),
    Column("kernels", figures=False),
)


def show(subject: Subject) -> Section:
    """Return the operators of one artifact as a table, and as a picture if they are few."""
    artifact = subject.chosen
    subject.manifest.require(artifact)
    path = subject.folder / artifact.path
    found = graph.read(path)
    rows = [_row(place, node) for place, node in enumerate(found.nodes[:MOST_LISTED])]
    left_out = len(found.nodes) - len(rows)
    more = [paragraph(f"… and {left_out:,} more operators.")] if left_out else []
    drawn = [element("figure", graph.draw(found))] if len(found.nodes) <= MOST_DRAWN else []
    body = joined([_lead(artifact.path, found), table(_COLUMNS, rows), *more, *drawn])
    return Section(body, {shlex.join(["toolkit", "show", str(path)]): "lists them on the machine that it runs on"})


def _lead(name: str, found: Graph) -> Markup:
    macs = "an unknown number of" if found.macs is None else f"{found.macs:,}"
    return paragraph(
        code(name),
        f": {units.count(len(found.nodes), 'operator')}, {found.parameters:,} parameters, {macs} multiply-accumulates "
        f"(MACs) of one inference, {units.size(found.weight_bytes)} of weights, as the machine that made this page "
        "executes it.",
    )


def _row(place: int, node: Node) -> tuple[object, ...]:
    operator = node.operator
    return (
        place,
        joined([operator.name, " ", element("span", node.short_name, class_="faint")]),
        node.dimensions,
        f"{node.parameters:,}" if node.parameters else "",
        "not known" if operator.macs is None else f"{operator.macs:,}" if operator.macs else "",
        units.size(operator.weight_bytes) if operator.weight_bytes else "",
        operator.kernels,
    )
