"""The page of a search: what was asked, what the test set said of the front, what was tried; as Markdown and HTML."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from toolkit import units
from toolkit.errors import RunError
from toolkit.files import write_text
from toolkit.search import charts
from toolkit.search.budgets import COSTS, MACS, OF_FILE, SIZE, Cost, MeasuredCost
from toolkit.search.candidates import FINAL, SearchCandidate
from toolkit.search.proof import FRONT, LOOKS, MARGIN_PP, Member, Proof
from toolkit.search.prove import chosen, too_large
from toolkit.search.search import Search
from toolkit.study.charts import FOLDER, save
from toolkit.study.charts.base import Chart
from toolkit.study.claims.base import Table
from toolkit.study.html import render as render_html
from toolkit.study.markdown import image, table
from toolkit.study.study import about_data
from toolkit.text import in_markdown

MARKDOWN, HTML = "search.md", "search.html"
T = TypeVar("T")
_YES_NO = {True: "yes", False: "not shown", None: "–"}


@dataclass(frozen=True)
class SearchReport:
    """What a search came to, and where it is written."""

    search: Search
    markdown: Path
    html: Path
    charts: tuple[Path, ...]

    @property
    def conclusion(self) -> str:
        """What was found, in a sentence."""
        return conclude(self.search)

    @property
    def is_found(self) -> bool:
        """Whether a member of the front is shown to be what was asked for."""
        return self.search.smallest is not None

    @property
    def front(self) -> Table:
        """The members of the front and what is claimed of them."""
        return front_table(self.search)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit search --json``."""
        return {**self.search.to_json(), "report": {"markdown": str(self.markdown), "html": str(self.html)}}


def write(search: Search) -> SearchReport:
    """Draw the charts and write the page into the search's folder; RunError if nothing has come of any candidate."""
    if not search.crashed and not any(one.outcome.ended for one in search.candidates):
        raise RunError(f"{search.folder}: no candidate has ended yet, there is nothing to report")
    drawn = [(chart, save(chart, search.folder / FOLDER)) for chart in charts.draw(search)]
    pictures = [(chart, image(paths[0], chart.title, search.folder)) for chart, paths in drawn]
    markdown = _page(search, pictures)
    write_text(search.folder / MARKDOWN, markdown)
    write_text(search.folder / HTML, render_html(markdown, search.folder))
    paths = tuple(path for _, both in drawn for path in both)
    return SearchReport(search, search.folder / MARKDOWN, search.folder / HTML, paths)


def conclude(search: Search) -> str:
    """Say in a sentence what was found: the smallest network that is surely good enough, or why there is none."""
    proof = search.proof
    if proof is None:
        return _unproven(search)
    front, smallest, wanted = units.count(len(proof.members), "candidate"), proof.smallest, _wanted(proof)
    if not wanted:
        ends = [_described(proof, one) for one in dict.fromkeys((proof.members[0], proof.members[-1]))]
        return f"the front has {front}{', from ' if len(ends) > 1 else ': '}{' to '.join(ends)}"
    if smallest is None:
        return f"of {front} on the front, none is shown to be {wanted}"
    return (
        f"{smallest.name} is the smallest on the front that is {wanted}: {_described(proof, smallest)}; "
        f"'toolkit export {search.folder.name}/{smallest.name}' exports it"
    )


def _unproven(search: Search) -> str:
    """Say why there is no proof."""
    least = search.asked.budgets.min_accuracy or 0.0
    if (search.folder / FRONT).is_file():
        return "the front is chosen, but its proof is not written yet; call the same again"
    best = max(search.finished, key=lambda one: one.accuracy, default=None)
    if best is None:
        return f"no candidate has all its {search.asked.epochs} epochs yet: {search.summary}"
    is_trained = not search.asked.final_epochs or (
        search.finalists and all(one.outcome.ended for one in search.finalists)
    )
    if is_trained and best.accuracy < least:
        return (
            f"no candidate reaches {100 * least:g} % on the validation rows: the nearest, {best.name}, has "
            f"{units.percent(best.accuracy)} ({best.choice.model}, {best.costs}); the test set was left closed"
        )
    if is_trained and (large := too_large(chosen(search), search.asked.budgets)):
        return large
    return f"nothing is proven yet: {search.summary}; call the same again to go on"


def _described(proof: Proof, member: Member) -> str:
    return f"{units.size(member.size_bytes)} with {proof.accuracy_text(member)} on the test set"


def _wanted(proof: Proof) -> str:
    claims = []
    if proof.min_accuracy is not None:
        claims.append(f"surely at least {100 * proof.min_accuracy:g} % accurate")
    if proof.must_match:
        claims.append(f"surely not worse than {proof.rival} by more than {MARGIN_PP:g} points")
    return " and ".join(claims)


def front_table(search: Search) -> Table:
    """Return the members of the front; what is claimed of them stands behind if something is."""
    proof = search.proof
    if proof is None:
        return Table((), ())
    limit = search.asked.budgets.limit
    costs = {cost.heading: cost for cost in COSTS if cost == MACS or (cost != SIZE and limit(cost) is not None)}
    cells: dict[str, Callable[[Member], str]] = {
        "candidate": lambda one: one.name,
        SIZE.heading: lambda one: units.size(one.size_bytes),
        **{heading: partial(_taken, search, cost) for heading, cost in costs.items()},
        "validation": lambda one: units.percent(search.named(one.name).accuracy),
        "test": lambda one: units.marked(proof.accuracy_text(one), overlap=search.data["overlap"]),
        "own original: lost / gained": lambda one: f"{one.own.lost} / {one.own.gained}",
        "verdict": lambda one: str(one.verdict),
    }
    if proof.min_accuracy is not None:
        cells[f"≥ {100 * proof.min_accuracy:g} %"] = lambda one: _YES_NO[proof.reaches(one)]
    if proof.rival is not None:
        cells["loss (points)"] = lambda one: str(proof.loss_text(one))
        cells[f"≤ {MARGIN_PP:g} points"] = lambda one: _YES_NO[proof.is_as_good(one)]
    return _table(cells, proof.members)


def _page(search: Search, pictures: Sequence[tuple[Chart, str]]) -> str:
    blocks = ["# The search", in_markdown(_about(search)), in_markdown(f"Result: {conclude(search)}.")]
    if search.proof is not None:
        blocks += ["## The front", table(front_table(search)), in_markdown(_looks(search.proof))]
    for chart, picture in pictures:
        blocks += [f"## {in_markdown(chart.title)}", picture, in_markdown(chart.caption)]
    blocks += ["## All candidates", table(_all(search))]
    return "\n\n".join(blocks) + "\n"


def _about(search: Search) -> str:
    recipe = search.asked.recipe(search.candidates[0].choice)
    training = f"{units.count(recipe.epochs, 'epoch')} each ({', '.join(recipe.additions)}), seed {recipe.seed}"
    return (
        f"Asked for: {search.asked.budgets}. {search.summary}, {training}, in {units.seconds(search.spent_s)}. "
        f"{about_data(search.data)} Machine: {search.host['cpu']}, {search.host['cores']} cores; trainings at a time: "
        f"{' and '.join(str(number) for number in search.jobs)}. What a network takes is known of its int8 file, which "
        "was converted before it was trained: nothing was trained that could not fit "
        f"({units.count(len(search.rejected), 'proposal')}).{_measured(search)}{_again(search)}"
    )


def _measured(search: Search) -> str:
    """Say by what the costs were measured that a file does not tell."""
    sentences = []
    for cost in search.asked.budgets.measured:
        measured: list[MeasuredCost | None] = [getattr(one.costs, cost.field) for one in search.candidates]
        where = dict.fromkeys(one.where for one in measured if one is not None)
        sentences.append(f" {cost.heading.capitalize()}: of one inference, by {' and '.join(where)}.")
    return "".join(sentences)


def _again(search: Search) -> str:
    """Say how the finalists were trained."""
    if not search.finalists:
        return ""
    recipe = search.asked.recipe(search.finalists[0].choice, is_final=True)
    return (
        f" {units.count(len(search.finalists), 'candidate')} of them, chosen by the validation rows, were trained "
        f"again from the beginning, for {units.count(recipe.epochs, 'epoch')} ({', '.join(recipe.additions)}): the "
        f"names of those trainings begin with {FINAL}."
    )


def _looks(proof: Proof) -> str:
    members = units.count(len(proof.members), "candidate")
    rival = (
        f" The loss is paired, row by row, with {proof.rival}; its bound is Tango's, one-sided, at "
        f"{units.percent(proof.confidence)}."
        if proof.rival is not None
        else ""
    )
    return (
        f"Looks at the test set: {LOOKS}. The candidates were chosen by the validation rows alone: the front is what "
        "no network that costs no more equals, and a larger one is on it only if it is better by more than a standard "
        f"error. Then the test set was opened for these {members}. Each interval is Wilson's at "
        f"{units.percent(proof.confidence)}, so that all of them hold together with 95 % (Bonferroni).{rival} The "
        "verdict is that of 'toolkit verify': the int8 file beside the Keras model that it was made from."
    )


def _all(search: Search) -> Table:
    costs = {cost.heading: cost for cost in (*OF_FILE, *search.asked.budgets.measured)}
    cells: dict[str, Callable[[SearchCandidate], str]] = {
        "candidate": lambda one: one.name,
        "network": lambda one: str(one.choice.shape),
        "learning rate": lambda one: f"{one.choice.learning_rate:.2g}",
        **{heading: partial(_taken, search, cost) for heading, cost in costs.items()},
        "validation": lambda one: units.percent(one.accuracy) if one.outcome.progress.history else "–",
        "state": lambda one: str(one.outcome.state),
        "time": lambda one: units.seconds(one.outcome.seconds) if one.outcome.progress.history else "–",
        "": lambda one: one.outcome.message,
    }
    return _table(cells, search.candidates)


def _taken(search: Search, cost: Cost, one: Member | SearchCandidate) -> str:
    return cost.describe(search.named(one.name).costs)


def _table(cells: Mapping[str, Callable[[T], str]], rows: Sequence[T]) -> Table:
    """Return a table. cells: by the heading of a column, what makes its cell of a row."""
    return Table(tuple(cells), tuple(tuple(cell(row) for cell in cells.values()) for row in rows))
