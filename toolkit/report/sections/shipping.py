"""What to ship, and why: the first thing to read."""

from collections import Counter
from pathlib import Path

from toolkit.errors import ArtifactError
from toolkit.report.markup import Markup, code, element, joined, paragraph, verdict
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject

ORDER, TITLE = 10, "What to ship"


def show(subject: Subject) -> Section:
    """Return the recommendation of the benchmark, on its machine, beside the verdicts."""
    record = subject.record
    choices = record.recommendations
    if not choices:
        raise ArtifactError(f"{record.folder}: the benchmark recommends nothing")
    parts = [_choice(choice["artifact"], choice["why"], fits=choice["fits"]) for choice in choices]
    where = f"Measured on {record.host.cpu}. On another machine another artifact may be the fastest."
    body = joined([*parts, paragraph(where), _verdicts(subject)])
    again = {command("bench", subject.folder): "measures, and recommends for the machine that it runs on"}
    return Section(body, again)


def _choice(artifact: str, why: str, *, fits: bool) -> Markup:
    if not fits:
        return element("p", why, ".", class_="lead")
    return element("p", "Ship ", code(Path(artifact).name), f": {why}.", class_="lead")


def _verdicts(subject: Subject) -> Markup:
    counts = Counter(artifact.verdict for artifact in subject.manifest.artifacts)
    said = [part for kind, number in counts.items() for part in (", ", f"{number} ", verdict(kind))]
    return paragraph("Of all artifacts: ", *said[1:])
