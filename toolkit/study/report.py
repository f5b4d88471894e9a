"""The report of a study: what was run, what it says of each claim, and the charts; as Markdown and as one HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit import units, words
from toolkit.overlap import OverlapEntry
from toolkit.errors import RunError
from toolkit.files import write_bytes, write_text
from toolkit.study import charts, claims, statistics, study
from toolkit.study.charts.base import Chart
from toolkit.study.claims.base import Finding, Table
from toolkit.study.html import render as render_html
from toolkit.study.markdown import render as render_markdown
from toolkit.study.outcome import Outcome
from toolkit.study.page import Block, Heading, Image, Paragraph
from toolkit.study.study import Study
from toolkit.training.checkpoint import BEST
from toolkit.training.runs import CONFIG, StartedEntry, read_json

MARKDOWN, HTML = "study.md", "study.html"


@dataclass(frozen=True)
class Report:
    """What a study came to, and where it is written. weights: of the best run of each model."""

    study: Study
    findings: tuple[Finding, ...]
    markdown: Path
    html: Path
    charts: tuple[Path, ...]
    weights: tuple[Path, ...]


def write(of: Study, folder: Path) -> Report:
    """Weigh the claims, draw the charts and write ``study.md`` and ``study.html`` into ``folder``.

    The weights of the best run of each model go beside them, as ``MODEL.keras``. Raises RunError where no run has
    ended.
    """
    if not any(one.ended for one in of.outcomes):
        raise RunError(f"{of.folder}: no run has ended yet, there is nothing to report")
    findings = claims.weigh(of)
    drawn = [(chart, charts.save(chart, folder / charts.FOLDER)) for chart in charts.draw(of)]
    blocks = _page(of, findings, [(chart, paths[1]) for chart, paths in drawn])
    write_text(folder / MARKDOWN, render_markdown(blocks, folder))
    write_text(folder / HTML, render_html(blocks))
    weights = {folder / _weights(one): one.trial.folder / BEST for one in of.best()}
    for path, best in weights.items():
        write_bytes(path, best.read_bytes())
    paths = tuple(path for _, both in drawn for path in both)
    return Report(of, findings, folder / MARKDOWN, folder / HTML, paths, tuple(weights))


def _page(of: Study, findings: Sequence[Finding], drawn: Sequence[tuple[Chart, Path]]) -> list[Block]:
    blocks: list[Block] = [
        Heading(1, "The study"),
        Paragraph(_about(of)),
        Heading(2, "Verdicts"),
        Table(
            ("", "claim", "verdict", "what was measured"),
            tuple((one.letter, one.claim, one.verdict, one.figure) for one in findings),
        ),
        Paragraph(_intervals(of)),
        *(Paragraph(f"{units.MARK} {_overlap(one)}: no test accuracy on this page is one.") for one in of.overlap),
    ]
    for finding in findings:
        blocks += [
            Heading(2, f"({finding.letter}) {finding.claim}"),
            Paragraph(f"Verdict: {finding.verdict}. {finding.summary}."),
            Paragraph(f"Figure: {finding.figure}."),
            *(Paragraph(" ".join(part.split())) for part in finding.criterion.strip().split("\n\n")),
            *(table for table in finding.tables if table.rows),
        ]
        shown = [chart.title for chart, _ in drawn if chart.name.startswith(finding.charts)]
        if shown:
            blocks.append(Paragraph(f"Charts: {'; '.join(shown)}."))
        if finding.left_out:
            blocks.append(Paragraph(f"{finding.left_out} runs have not ended and have no part in this."))
    blocks.append(Heading(2, "Charts"))
    for chart, path in drawn:
        blocks += [Heading(3, chart.title), Image(path, chart.title), Paragraph(chart.caption)]
    blocks += [Heading(2, "Best of each model"), _best_table(of), Heading(2, "All runs"), _all(of)]
    return blocks


def _about(of: Study) -> str:
    jobs = " and ".join(str(number) for number in of.jobs)
    batch = of.outcomes[0].trial.recipe.batch_size
    rows = {"train": of.data["training_rows"], "validate": of.data["validation_rows"], "test": of.data["test_rows"]}
    parts = ", ".join(f"{count:,} images to {verb}" for verb, count in rows.items())
    return (
        f"{study.summarise(of)}: {_axes(of)}, {units.count(of.grid.seeds, 'seed')}, {of.grid.describe_epochs()}, "
        f"batches of {batch}. Data: {of.data['name']}, {parts} (sha256 of the test images: "
        f"`{of.data['digests']['test_images']}`). The weights of a run are those of the epoch with the lowest "
        f"validation loss. Machine: {of.host['cpu']}, {of.host['cores']} cores; runs at a time: {jobs}.{_made_with(of)}"
    )


def _made_with(of: Study) -> str:
    """Say when the runs were begun and with which versions, as their own folders tell."""
    made = [read_json(path, StartedEntry) for one in of.outcomes if (path := one.trial.folder / CONFIG).is_file()]
    if not made:
        return ""
    days = sorted({document["started"][:10] for document in made})
    versions = sorted(
        {f"{name} {version}" for document in made for name, version in document.get("versions", {}).items()}
    )
    return f" Runs begun: {' to '.join(dict.fromkeys((days[0], days[-1])))}, with {', '.join(versions)}."


def _overlap(one: OverlapEntry) -> str:
    return f"{one['count']:,} {one['part']} images are {one['other']} images too"


def _axes(of: Study) -> str:
    grid = of.grid
    parts = (grid.model, grid.optimizer, grid.activation, grid.learning_rate, grid.loss)
    return " × ".join("{" + ", ".join(words.value(value) for value in values) + "}" for values in parts)


def _intervals(of: Study) -> str:
    single = (
        "" if of.grid.seeds > 1 else " With one seed nothing is known of how much a run varies with the seed alone."
    )
    return (
        "What a claim compares and what it takes for support is said under each. Its verdict is the share of "
        "configurations that support it: it holds from 90 % of those that decide, does not hold up to 10 %, and "
        "depends in between; fewer than four cannot tell. The interval of a share is Wilson's. A figure is the median "
        "over configurations, and its 95 % interval that of the sign test, which six configurations are the fewest "
        f"for: of fewer their range is told.{single} The configurations are those of the grid, and no sample of all "
        "that there are."
    )


def _weights(one: Outcome) -> str:
    return f"{one.trial.recipe.model}.keras"


def _best_table(of: Study) -> Table:
    rows = [(_name(one), *_accuracies(of, one), _weights(one), f"`{one.trial.folder.name}`") for one in of.best()]
    headings = ("chosen by validation accuracy", "validation", "test (95 % interval)", "weights", "run")
    return Table(headings, tuple(rows))


def _all(of: Study) -> Table:
    rows = [
        (
            _name(one),
            str(one.trial.recipe.seed),
            one.state,
            f"{len(one.progress.history)}",
            *_accuracies(of, one),
            units.seconds(one.seconds) if one.progress.history else "–",
            one.message,
        )
        for one in of.outcomes
    ]
    headings = ("run", "seed", "state", "epochs", "validation", "test (95 % interval)", "training time", "")
    return Table(headings, tuple(rows))


def _accuracies(of: Study, one: Outcome) -> tuple[str, str]:
    validation = units.percent(one.kept_validation_accuracy) if one.progress.history else "–"
    if one.test_accuracy is None:
        return validation, "–"
    rows = int(of.data["test_rows"])
    interval = statistics.share(round(one.test_accuracy * rows), rows)
    text = f"{units.percent(interval.value)} ({interval.low * 100:.2f} – {interval.high * 100:.2f})"
    return validation, units.marked(text, overlap=of.overlap)


def _name(one: Outcome) -> str:
    return words.configuration(one.configuration)
