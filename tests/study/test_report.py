"""The charts and the report of a made-up study."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.study.made_up import plausible, study
from toolkit.errors import RunError
from toolkit.files import write_json
from toolkit.study import charts, report
from toolkit.study.charts.base import MARKERS, style
from toolkit.study.claims.base import Table
from toolkit.study.grid import Grid
from toolkit.study.html import render as render_html
from toolkit.study.markdown import render as render_markdown
from toolkit.study.outcome import WAITING
from toolkit.study.page import Heading, Paragraph
from toolkit.study.trials import DIVERGED

SMALL = Grid(model=("mlp",), optimizer=("adam",), learning_rate=(0.01, 0.1), loss=("mse",), epochs=(3,), seeds=2)
WHOLE = replace(SMALL, model=("cnn", "mlp"))
NAMES = [
    "heat",
    "accuracy-cnn",
    "loss-cnn",
    "accuracy-mlp",
    "loss-mlp",
    "rate",
    "epochs",
    "seconds",
    "seeds",
    "gradients-cnn",
    "gradients-mlp",
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return report.write(study(plausible, SMALL, folder), folder)


def test_every_chart_is_drawn_of_a_whole_study():
    assert [chart.name for chart in charts.draw(study(plausible, WHOLE))] == NAMES


def test_a_study_with_nothing_to_show_has_no_charts():
    of = study(lambda recipe: {"accuracies": [], "state": WAITING})
    assert list(charts.draw(of)) == []


def test_a_first_run_without_an_epoch_has_its_place_in_every_chart():
    def story(recipe):
        first = (recipe.activation, recipe.learning_rate) == ("relu", 0.01)
        return {"accuracies": [], "state": DIVERGED} if first else plausible(recipe)

    assert "gradients-mlp" in [chart.name for chart in charts.draw(study(story, SMALL))]


def test_configurations_stand_in_the_order_of_the_unit_of_the_chart():
    def story(recipe):
        return {"accuracies": [0.5, 0.9, 0.96 if recipe.activation == "relu" else 0.2]}

    of = study(story, replace(SMALL, seeds=1, learning_rate=(0.1,)))
    for chart in charts.draw(of):
        if chart.name in ("epochs", "seconds"):
            names = [label.get_text() for label in chart.figure.axes[0].get_yticklabels()]
            assert [name.split(", ")[1] for name in names] == ["ReLU", "sigmoid"]


def test_the_validation_accuracy_is_that_of_the_weights_that_are_kept(tmp_path, no_charts):
    """Those with the lowest loss, whose accuracy is not the highest."""
    grid = Grid(
        model=("mlp",), optimizer=("adam",), loss=("mse",), activation=("relu",), learning_rate=(0.1,), epochs=(2,)
    )
    of = study(lambda recipe: {"accuracies": [0.9, 0.95], "losses": [0.1, 0.2]}, grid, tmp_path)
    text = report.write(of, tmp_path / "report").markdown.read_text()
    assert "| MLP, Adam, ReLU, learning rate 0.1, mean squared error | 90.00 % |" in text
    assert "| finished | 2 | 90.00 % |" in text


def test_of_one_seed_there_is_no_spread():
    assert "seeds" not in [chart.name for chart in charts.draw(study(plausible, replace(WHOLE, seeds=1)))]


def test_the_heat_map_says_every_accuracy():
    grid = Grid(model=("mlp",), loss=("mse",), epochs=(3,))
    heat = next(chart for chart in charts.draw(study(plausible, grid)) if chart.name == "heat")
    texts = [text.get_text() for axes in heat.figure.axes for text in axes.texts]
    expected = [
        f"{100 * one.test_accuracy:.2f}" if one.test_accuracy is not None else "diverged"
        for one in study(plausible, grid).outcomes
    ]
    assert sorted(texts) == sorted(expected)


def test_things_differ_also_without_colour():
    looks = [style(position) for position in range(len(MARKERS))]
    assert len({look.marker for look in looks}) == len({str(look.line) for look in looks}) == len(looks)


def test_a_chart_is_saved_to_the_same_bytes_again(tmp_path):
    first, second = (next(charts.draw(study(plausible))) for _ in range(2))
    left, right = charts.save(first, tmp_path / "a"), charts.save(second, tmp_path / "b")
    assert [path.read_bytes() for path in left] == [path.read_bytes() for path in right]


def test_the_report_names_every_claim_run_and_chart(written):
    text = written.markdown.read_text()
    for finding in written.findings:
        assert f"## ({finding.letter}) {finding.claim}" in text
        assert f"Verdict: {finding.verdict}." in text
    for one in written.study.outcomes:
        assert one.message in text
    for name in re.findall(r"\]\((charts/[^)]*)\)", text):
        assert (written.markdown.parent / name).is_file()
    assert len(re.findall(r"!\[", text)) == len(written.charts) / 2 == 8
    assert "6 of 8 runs finished, 2 diverged: {MLP} × {Adam} × {ReLU, sigmoid} × {0.01, 0.1}" in text


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href")]


def test_the_page_needs_nothing_else(written):
    links = Links()
    links.feed(written.html.read_text())
    assert len(links.found) == 8
    assert all(link.startswith("data:image/svg+xml;base64,") for link in links.found)
    assert "url(" not in written.html.read_text()


def test_what_looks_like_markup_is_escaped(tmp_path):
    blocks = [Heading(1, "a < b"), Paragraph("`x` & *y*"), Table(("p|q",), (("<i>",),))]
    page = render_html(blocks)
    assert "<h1>a &lt; b</h1>" in page
    assert "<code>x</code> &amp; <em>y</em>" in page
    assert "<td>&lt;i&gt;</td>" in page
    assert render_markdown(blocks, tmp_path) == "# a < b\n\n`x` & *y*\n\n| p\\|q |\n| --- |\n| <i> |\n"


@pytest.fixture
def no_charts(monkeypatch):
    monkeypatch.setattr(charts, "draw", lambda of: iter(()))


def test_an_overlap_marks_every_test_accuracy(tmp_path, no_charts):
    of = study(plausible, replace(SMALL, activation=("sigmoid",), learning_rate=(0.1,), seeds=1), tmp_path)
    shared = {"part": "test", "other": "training", "count": 7, "rows": 90, "first": [0]}
    text = report.write(replace(of, data={**of.data, "overlap": [shared]}), tmp_path).markdown.read_text()
    assert "* 7 test images are training images too: no test accuracy on this page is one." in text
    assert len(re.findall(r"\)\* \|", text)) == len(of.outcomes) + 1


def test_a_study_without_an_ended_run_has_no_report(tmp_path):
    of = study(lambda recipe: {"accuracies": [], "state": WAITING}, folder=tmp_path)
    with pytest.raises(RunError, match="no run has ended yet, there is nothing to report"):
        report.write(of, tmp_path)
    assert not (tmp_path / report.MARKDOWN).exists()


def test_a_single_epoch_of_a_single_run_is_drawn(tmp_path):
    grid = replace(SMALL, activation=("relu",), learning_rate=(0.01,), epochs=(1,), seeds=1)
    drawn = [charts.save(chart, tmp_path) for chart in charts.draw(study(plausible, grid))]
    assert [png.stem for png, _ in drawn] == ["heat", "accuracy-mlp", "loss-mlp", "epochs", "seconds", "gradients-mlp"]


def test_the_best_is_chosen_by_validation_and_not_by_test(tmp_path, no_charts):
    def story(recipe):
        best = 0.9 if recipe.optimizer == "adam" else 0.8
        return {"accuracies": [best], "test": 1.7 - best}

    grid = Grid(model=("mlp",), loss=("mse",), activation=("relu",), learning_rate=(0.1,), epochs=(1,))
    written = report.write(study(story, grid, tmp_path), tmp_path / "report")
    text = written.markdown.read_text()
    row = text.partition("## Best of each model")[2].partition("## All runs")[0].strip().splitlines()[-1]
    assert row.startswith("| MLP, Adam, ReLU, learning rate 0.1, mean squared error | 90.00 % | 80.00 % (")
    assert np.char.count(row, "mlp-adam-relu-0.1-mse-seed0-") == 1
    assert [path.name for path in written.weights] == ["mlp.keras"]
    assert written.weights[0].read_text().startswith("weights of mlp-adam-relu-0.1-mse-seed0-")


def test_the_report_says_when_and_with_what_the_runs_were_made(tmp_path, no_charts):
    of = study(plausible, replace(SMALL, activation=("sigmoid",), seeds=1), tmp_path)
    for day, one in enumerate(of.outcomes, 1):
        document = {"started": f"2026-01-0{day}T00:00:00+00:00", "versions": {"keras": "3.1", "tensorflow": "2.2"}}
        one.trial.folder.mkdir(exist_ok=True)
        write_json(one.trial.folder / "config.json", document)
    text = report.write(of, tmp_path).markdown.read_text()
    assert f"Runs begun: 2026-01-01 to 2026-01-0{len(of.outcomes)}, with keras 3.1, tensorflow 2.2." in text
    assert f"sha256 of the test images: `{of.data['digests']['test_images']}`" in text
