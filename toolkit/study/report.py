"""The report of a study: what was run, what it says of each claim, and the charts; as Markdown and as one HTML page."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import models, units, words
from toolkit.errors import RunError
from toolkit.files import atomic, require_file, require_no_link, write_text
from toolkit.runs import BEST, CONFIG, StartedEntry, read_json
from toolkit.study import charts, claims, statistics
from toolkit.study.charts.base import Chart
from toolkit.study.claims.base import Table, WeighedClaim
from toolkit.study.grid import AXES
from toolkit.study.html import render as render_html
from toolkit.study.markdown import image, table
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study, about_data
from toolkit.text import in_markdown

MARKDOWN, HTML = "study.md", "study.html"


@dataclass(frozen=True)
class StudyReport:
    """What a study came to, and where it is written. weights: of the best run of each model."""

    study: Study
    findings: tuple[WeighedClaim, ...]
    markdown: Path
    html: Path
    charts: tuple[Path, ...]
    weights: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit study --json``."""
        return {
            **self.study.to_json(),
            "interrupted": False,
            "claims": [finding.to_json() for finding in self.findings],
            "report": {
                "markdown": str(self.markdown),
                "html": str(self.html),
                "weights": [str(path) for path in self.weights],
            },
        }


def write(study: Study, folder: Path) -> StudyReport:
    """Weigh the claims, draw the charts and write ``study.md`` and ``study.html`` into ``folder``.

    The weights of the best run of each model go beside them, as ``MODEL.keras``. Raises RunError if no run has
    ended.
    """
    if not any(one.ended for one in study.outcomes):
        raise RunError(f"{study.folder}: no run has ended yet, there is nothing to report")
    findings = claims.weigh(study)
    drawn = [(chart, charts.save(chart, folder / charts.FOLDER)) for chart in charts.draw(study)]
    pictures = [(chart, image(paths[0], chart.title, folder)) for chart, paths in drawn]
    markdown = _page(study, findings, pictures)
    write_text(folder / MARKDOWN, markdown)
    write_text(folder / HTML, render_html(markdown, folder))
    weights = {folder / _weights(one): one.trial.folder / BEST for one in study.best()}
    for path, best in weights.items():
        require_no_link(best, error=RunError)
        require_file(best, error=RunError)
        with atomic(path) as temporary:
            shutil.copyfile(best, temporary)
    paths = tuple(path for _, both in drawn for path in both)
    return StudyReport(study, findings, folder / MARKDOWN, folder / HTML, paths, tuple(weights))


def _page(study: Study, findings: Sequence[WeighedClaim], pictures: Sequence[tuple[Chart, str]]) -> str:
    """Return the page in Markdown. pictures: charts, as Markdown shows them."""
    rows = tuple((one.letter, one.claim, one.verdict, one.figure) for one in findings)
    blocks = [
        "# The study",
        in_markdown(_about(study)),
        "## Verdicts",
        table(Table(("", "claim", "verdict", "what was measured"), rows)),
        _intervals(study),
        *(
            in_markdown(
                f"{units.MARK} {one['count']:,} {one['part']} rows are {one['other']} rows too: no test accuracy "
                "on this page is one."
            )
            for one in study.overlap
        ),
    ]
    for finding in findings:
        blocks += [
            f"## ({finding.letter}) {finding.claim}",
            f"Verdict: {finding.verdict}. {in_markdown(finding.summary)}.",
            f"Figure: {in_markdown(finding.figure)}.",
            *(" ".join(part.split()) for part in finding.criterion.strip().split("\n\n")),
            *(table(figures) for figures in finding.tables if figures.rows),
        ]
        titles = [chart.title for chart, _ in pictures if chart.name.startswith(finding.charts)]
        if titles:
            blocks.append(f"Charts: {in_markdown('; '.join(titles))}.")
        if finding.left_out:
            blocks.append(f"{finding.left_out} runs have not ended and have no part in this.")
    blocks.append("## Charts")
    for chart, picture in pictures:
        blocks += [f"### {in_markdown(chart.title)}", picture, in_markdown(chart.caption)]
    blocks += ["## Best of each model", table(_best_table(study)), "## All runs", table(_all(study))]
    return "\n\n".join(blocks) + "\n"


def _about(study: Study) -> str:
    jobs = " and ".join(str(number) for number in study.jobs)
    batch = study.outcomes[0].trial.recipe.batch_size
    return (
        f"{study.summary}: {_axes(study)}, {units.count(study.grid.seeds, 'seed')}, {study.grid.describe_epochs()}, "
        f"batches of {batch}. {about_data(study.data)} The weights of a run are those of the epoch with the lowest "
        f"validation loss. Machine: {study.host['cpu']}, {study.host['cores']} cores; runs at a time: {jobs}."
        f"{_made_with(study)}"
    )


def _made_with(study: Study) -> str:
    """Say when the runs were begun and with which versions, as their own folders tell."""
    made = [read_json(path, StartedEntry) for one in study.outcomes if (path := one.trial.folder / CONFIG).is_file()]
    if not made:
        return ""
    days = sorted({document["started"][:10] for document in made})
    versions = sorted(
        {f"{name} {version}" for document in made for name, version in document.get("versions", {}).items()}
    )
    return f" Runs begun: {' to '.join(dict.fromkeys((days[0], days[-1])))}, with {', '.join(versions)}."


def _axes(study: Study) -> str:
    every = (getattr(study.grid, axis) for axis in AXES)
    return " × ".join("{" + ", ".join(words.value(value) for value in values) + "}" for values in every)


def _intervals(study: Study) -> str:
    single = (
        "" if study.grid.seeds > 1 else " With one seed nothing is known of how much a run varies with the seed alone."
    )
    return (
        "What a claim compares and what it takes for support is said under each. Its verdict is the share of "
        "configurations that support it: it holds from 90 % of those that decide, does not hold up to 10 %, and "
        "depends in between; fewer than four cannot tell. The interval of a share is Wilson's. A figure is the median "
        "over configurations, and its 95 % interval that of the sign test, which six configurations are the fewest "
        f"for: of fewer their range is told.{single} The configurations are those of the grid, and no sample of all "
        "that there are."
    )


def _weights(one: TrialOutcome) -> str:
    return f"{models.short(one.trial.recipe.model)}.keras"


def _best_table(study: Study) -> Table:
    rows = [(_name(one), *_accuracies(study, one), _weights(one), one.trial.folder.name) for one in study.best()]
    headings = ("chosen by validation accuracy", "validation", "test (95 % interval)", "weights", "run")
    return Table(headings, tuple(rows))


def _all(study: Study) -> Table:
    rows = [
        (
            _name(one),
            str(one.trial.recipe.seed),
            one.state,
            f"{len(one.progress.history)}",
            *_accuracies(study, one),
            units.seconds(one.seconds) if one.progress.history else "–",
            one.message,
        )
        for one in study.outcomes
    ]
    headings = ("run", "seed", "state", "epochs", "validation", "test (95 % interval)", "training time", "")
    return Table(headings, tuple(rows))


def _accuracies(study: Study, one: TrialOutcome) -> tuple[str, str]:
    validation = units.percent(one.kept_validation_accuracy) if one.progress.history else "–"
    if one.test_accuracy is None:
        return validation, "–"
    rows = int(study.data["test_rows"])
    interval = statistics.share(round(one.test_accuracy * rows), rows)
    text = f"{units.percent(interval.value)} ({interval.low * 100:.2f} – {interval.high * 100:.2f})"
    return validation, units.marked(text, overlap=study.overlap)


def _name(one: TrialOutcome) -> str:
    return words.configuration(one.configuration)
