"""The report of a made-up study."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.study.made_up import plausible, study
from toolkit.errors import RunError
from toolkit.files import write_json
from toolkit.study import charts, markdown, report
from toolkit.study.charts.base import Chart
from toolkit.study.claims.base import Table
from toolkit.study.grid import Grid
from toolkit.study.html import render as render_html
from toolkit.study.trials import TrialState

SMALL = Grid(model=("mlp",), optimizer=("adam",), learning_rate=(0.01, 0.1), loss=("mse",), epochs=(3,), seeds=2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return report.write(study(plausible, SMALL, folder), folder)


def test_the_validation_accuracy_is_that_of_the_weights_that_are_kept(tmp_path, no_charts):
    """Those with the lowest loss, whose accuracy is not the highest."""
    grid = Grid(
        model=("mlp",), optimizer=("adam",), loss=("mse",), activation=("relu",), learning_rate=(0.1,), epochs=(2,)
    )
    of = study(lambda recipe: {"accuracies": [0.9, 0.95], "losses": [0.1, 0.2]}, grid, tmp_path)
    text = report.write(of, tmp_path / "report").markdown.read_text()
    assert "| MLP, Adam, ReLU, learning rate 0.1, mean squared error | 90.00 % |" in text
    assert "| finished | 2 | 90.00 % |" in text


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_page_needs_nothing_else(written):
    links = Links()
    links.feed(written.html.read_text())
    assert len(links.found) == 8
    assert all(link.startswith("data:image/svg+xml;base64,") for link in links.found)
    assert "url(" not in written.html.read_text()


def test_nothing_that_a_document_says_is_taken_for_markdown(tmp_path, no_charts):
    (tmp_path / "study").mkdir()
    of = study(plausible, replace(SMALL, seeds=1), tmp_path / "study")
    said = "![x](../secret.png)"
    outcomes = tuple(replace(one, message=f"{said} | {said}\n# `x`") for one in of.outcomes)
    data = {**of.data, "name": said, "digests": {**of.data["digests"], "test_images": f"`{said}`"}}
    shared = {"part": said, "other": said, "count": 7, "rows": 90, "first": [0]}
    of = replace(
        of, outcomes=outcomes, host={"cpu": f"a\x1b[1m {said}", "cores": 2}, data={**data, "overlap": [shared]}
    )
    written = report.write(of, tmp_path / "study")
    page = written.html.read_text()
    assert page.count(said) == 5 + 2 * len(outcomes)
    assert {"<img", "\x1b", "<code"} & {*re.findall(r"<img|\x1b|<code", page)} == set()
    assert "\x1b" not in written.markdown.read_text()


def test_links_in_the_folder_lead_nothing_in_and_nothing_out(tmp_path, no_charts):
    folder, outside = tmp_path / "study", tmp_path / "outside"
    for path in (folder, outside):
        path.mkdir()
    of = study(plausible, replace(SMALL, seeds=1), folder)
    (best,) = (one.trial.folder / "best.keras" for one in of.best())
    best.replace(outside / "secret")
    best.symlink_to(outside / "secret")
    (folder / charts.FOLDER).symlink_to(outside)
    with pytest.raises(RunError, match=r"best\.keras: a symbolic link; put there what it leads to"):
        report.write(of, folder)
    with pytest.raises(RunError, match=r"charts: a symbolic link"):
        charts.save(Chart("a", "a", "a", None), folder / charts.FOLDER)
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert not (folder / "mlp.keras").exists()


def test_what_looks_like_markup_is_escaped(tmp_path):
    text = "# a < b\n\n`x` & *y*\n\n" + markdown.table(Table(("p|q",), (("<i>",),)))
    assert text == "# a < b\n\n`x` & *y*\n\n| p\\|q |\n| --- |\n| \\<i> |"
    page = render_html(text, tmp_path)
    assert "<h1>a &lt; b</h1>" in page
    assert "<title>a &lt; b</title>" in page
    assert "<code>x</code> &amp; <em>y</em>" in page
    assert "<th>p|q</th>" in page
    assert "<td>&lt;i&gt;</td>" in page


@pytest.fixture
def no_charts(monkeypatch):
    monkeypatch.setattr(charts, "draw", lambda of: iter(()))


def test_an_overlap_marks_every_test_accuracy(tmp_path, no_charts):
    of = study(plausible, replace(SMALL, activation=("sigmoid",), learning_rate=(0.1,), seeds=1), tmp_path)
    shared = {"part": "test", "other": "training", "count": 7, "rows": 90, "first": [0]}
    text = report.write(replace(of, data={**of.data, "overlap": [shared]}), tmp_path).markdown.read_text()
    assert "\n\\* 7 test rows are training rows too: no test accuracy on this page is one." in text
    assert len(re.findall(r"\)\\\* \|", text)) == len(of.outcomes) + 1


def test_a_study_without_an_ended_run_has_no_report(tmp_path):
    of = study(lambda recipe: {"accuracies": [], "state": TrialState.WAITING}, folder=tmp_path)
    with pytest.raises(RunError, match="no run has ended yet, there is nothing to report"):
        report.write(of, tmp_path)
    assert not (tmp_path / report.MARKDOWN).exists()


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
    assert f"sha256 of the test rows: {of.data['digests']['test_images']})" in text
