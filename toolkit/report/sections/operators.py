"""What an artifact computes, operator by operator, as this machine executes it."""

from toolkit.report import graph
from toolkit.report.markup import code, element, joined, paragraph, table
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject

ORDER, TITLE = 100, "What it computes"
# Operators that are drawn, and that are listed.
MOST_DRAWN, MOST_LISTED = 40, 120


def show(subject: Subject) -> Section:
    """Return the operators of one artifact as a table, and as a picture if they are few."""
    artifact = subject.chosen
    subject.manifest.require(artifact)
    path = subject.folder / artifact.path
    model = graph.read(path)
    left_out = len(model.nodes) - MOST_LISTED
    more = [paragraph(f"… and {left_out:,} more operators.")] if left_out > 0 else []
    drawn = [element("figure", graph.draw(model))] if len(model.nodes) <= MOST_DRAWN else []
    lead = paragraph(code(artifact.path), f": {model}, as the machine that made this page executes it.")
    body = joined([lead, table(graph.COLUMNS, model.rows[:MOST_LISTED]), *more, *drawn])
    return Section(body, {command("show", path): "lists them on the machine that it runs on"})
