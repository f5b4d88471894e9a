"""Whether each artifact still is the model: what was lost with its interval, beside the margin."""

from collections import Counter
from collections.abc import Sequence

from toolkit import units
from toolkit.console import figure_columns, text_columns
from toolkit.entries import Verification
from toolkit.errors import ArtifactError
from toolkit.manifest import Artifact
from toolkit.parity.statistics import loss_bounds
from toolkit.report import svg
from toolkit.report.markup import Markup, code, element, joined, paragraph, table, verdict
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject
from toolkit.report.svg import Axis

ORDER, TITLE = 40, "Is it still the same model?"
WIDTH, HEIGHT = 250.0, 26.0
_ENDS = (10.0, WIDTH - 10.0)
_COLUMNS = (
    *text_columns("artifact", "verdict", "accuracy lost, in percentage points"),
    *figure_columns("(interval)", "lost / gained", "accuracy", "Keras"),
)


def show(subject: Subject) -> Section:
    """Return a forest plot: a row for each artifact, all on one axis with the margin."""
    judged = [(artifact, one) for artifact in subject.manifest.artifacts if (one := artifact.verified)]
    if not judged:
        raise ArtifactError(f"no artifact was verified; 'toolkit verify {subject.folder} --save' does it")
    axis = _axis([one for _, one in judged])
    rows = [_row(artifact, one, axis) for artifact, one in judged]
    ruler = svg.ruler(axis, WIDTH, svg.numbers(axis), says="points lost") if axis else ""
    drawn = table(_COLUMNS, rows, foot=("", "", ruler, "", "", "", ""))
    margins = [f"{one.margin_pp:g}" for _, one in judged]
    shared = (one for _, verified in judged for one in verified.dataset.overlap)
    marks = dict.fromkeys(f"{units.MARK} not an accuracy: {one.sentence(subject.manifest.noun)}." for one in shared)
    notes = (_legend(sorted(set(margins)), subject.rows_are), *map(paragraph, marks))
    body = joined([_lead([one for _, one in judged], subject.rows_are), drawn, *notes])
    again = {
        command("record", "check", subject.folder): "rebuilds each figure from what was kept of each image",
        command("verify", subject.folder, "--margin", margins[0]): "runs every artifact and Keras again",
    }
    return Section(body, again)


def _lead(judged: Sequence[Verification], rows_are: str) -> Markup:
    counts = Counter(str(one.verdict) for one in judged)
    said = ", ".join(f"{count} of {len(judged)} {kind}" for kind, count in counts.items())
    sets = {f"{one.n:,} {rows_are} of {one.dataset.name}" for one in judged}
    on = f"on {units.listed(sorted(sets))}. The same {rows_are} went through Keras and through each artifact."
    return element("p", f"{said}, {on}", class_="lead")


def _bounds(verified: Verification) -> tuple[float, float, float] | None:
    """Return the points lost and their one-sided bounds; None if nothing was counted."""
    if verified.lost is None or verified.gained is None:
        return None
    if min(verified.lost, verified.gained, verified.n - 1) < 0 or verified.lost + verified.gained > verified.n:
        raise ArtifactError(
            f"the manifest speaks of {verified.lost} images lost and {verified.gained} gained of {verified.n}"
        )
    lower, upper = loss_bounds(verified.lost, verified.gained, verified.n)
    return (verified.lost - verified.gained) / verified.n * 100, lower * 100, upper * 100


def _axis(judged: Sequence[Verification]) -> Axis | None:
    intervals = [bounds for one in judged if (bounds := _bounds(one))]
    if not intervals:
        return None
    margins = [one.margin_pp for one in judged]
    return Axis(*svg.spread([0.0, *margins, *(value for bounds in intervals for value in bounds)]), *_ENDS)


def _row(artifact: Artifact, verified: Verification, axis: Axis | None) -> Sequence[object]:
    bounds, shares = _bounds(verified), (verified.accuracy, verified.reference_accuracy)
    problem = verified.others.get("problem")
    said = element("span", problem, class_="faint") if problem else Markup()
    if bounds is None or axis is None or None in shares:
        return code(artifact.path), verdict(artifact.verdict), said, "–", "–", "–", "–"
    loss, lower, upper = bounds
    return (
        code(artifact.path),
        joined([verdict(verified.verdict), " ", said]),
        _strip(artifact, axis, bounds, verified.margin_pp),
        f"{_signed(loss)} ({_signed(lower)} – {_signed(upper)})",
        f"{verified.lost} / {verified.gained}",
        *(units.marked(units.percent(share or 0.0), overlap=verified.dataset.overlap) for share in shares),
    )


def _strip(artifact: Artifact, axis: Axis, bounds: tuple[float, float, float], margin_pp: float) -> Markup:
    """Return the row of an artifact: a line from bound to bound, the loss as a square, 0 and the margin."""
    loss, lower, upper = bounds
    middle = HEIGHT / 2
    low, high = axis.at(lower), axis.at(upper)
    says = f"{artifact.path}: {loss:.3f} points lost, from {lower:.3f} to {upper:.3f}; margin {margin_pp:g}"
    ends = [svg.line(x, middle - 4, x, middle + 4, "ink") for x in (low, high)]
    return svg.picture(
        WIDTH,
        HEIGHT,
        svg.line(axis.at(0), 0, axis.at(0), HEIGHT, "axis"),
        svg.line(axis.at(margin_pp), 0, axis.at(margin_pp), HEIGHT, "limit"),
        svg.line(low, middle, high, middle, "ink"),
        *ends,
        svg.marker(1, axis.at(loss), middle, "solid", radius=4.0),
        says=says,
        look="strip",
    )


def _legend(margins: Sequence[str], rows_are: str) -> Markup:
    return element(
        "p",
        f"Square: accuracy lost, (lost − gained) / {rows_are}. Line: from its lower to its upper one-sided 95 % bound "
        f"(Tango's score bounds). Dashed: the margin, {units.listed(margins)} points. pass: the whole line lies left "
        "of the margin; fail: right of it, or a check failed; inconclusive: it crosses the margin: too few "
        f"{rows_are}.",
        class_="faint",
    )


def _signed(points: float) -> str:
    return f"{points:.3f}".replace("-", "−")
