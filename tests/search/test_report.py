"""The page of a search, with a front that is made up."""

import json
import re
from dataclasses import replace

import pytest

from tests.search.made_up import ASKED, Costing, Learned, takes
from tests.search.test_proof import member
from toolkit.errors import RunError
from toolkit.files import write_text
from toolkit.search import charts, conduct, report, search
from toolkit.search.budgets import Budgets, MeasuredCost
from toolkit.search.conduct import Limits
from toolkit.search.proof import FRONT, Paired, Proof
from toolkit.study.trials import TrialState
from toolkit.verdict import Verdict

TOLD = {3: TrialState.DIVERGED, 4: TrialState.GIVEN_UP}


@pytest.fixture(scope="module")
def searched(tmp_path_factory, tiny):
    """24 candidates, of which two have no result."""
    folder = tmp_path_factory.mktemp("runs") / "search"
    numbers = iter(range(1, 100))

    def story(recipe):
        return TOLD.get(next(numbers), [0.5, 0.6, 0.9 + takes(recipe.model).parameters / 1_000])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.search.conduct.prove", lambda search, *_, **__: search)
        of = search.begin(ASKED, tiny, folder, jobs=1)
        return conduct.conduct(of, tiny, Learned(story), Costing(), Limits(trials=24), warn=pytest.fail)


def proven(of, *, least=None, rival="cnn.keras"):
    members = (
        member("trial-001", size=2_000, right=9_890, rival=Paired(30, 22)),
        member("trial-002", size=5_000, right=9_940, rival=Paired(10, 52)),
        member("trial-005", size=9_000, right=9_950, rival=Paired(8, 60), verdict=Verdict.INCONCLUSIVE),
    )
    if rival is None:
        members = tuple(replace(one, rival=None) for one in members)
    asked = replace(of.asked, budgets=Budgets(10_000.0, min_accuracy=least))
    return replace(
        of, asked=asked, proof=Proof(10_000, least, rival, 9_898 if rival else None, rival is not None, members)
    )


def unwritten(of):
    return report.SearchReport(of, of.folder, of.folder, ())


@pytest.mark.slow
def test_the_page_says_what_was_looked_at_and_what_is_shown(searched):
    written = report.write(proven(searched, least=0.99))
    text = written.markdown.read_text()
    assert "22 of 24 candidates finished, 1 given up, 1 diverged, 3 epochs each (cosine schedule), seed 0" in text
    assert "Looks at the test set: 1." in text
    assert "for these 3 candidates. Each interval is Wilson's at 98.33 %" in text
    assert "| trial-001 | 2.00 kB |" in text
    assert "| 98.90 % (98.62 – 99.12) | 3 / 1 | pass | not shown | 0.08 (at most 0.24) | not shown |" in text
    assert "| 99.40 % (99.18 – 99.56) | 3 / 1 | pass | yes | -0.42 (at most -0.26) | yes |" in text
    assert text.count("| trial-0") == 3 + 24
    assert "| it was told to |" in text
    assert written.html.read_text().count("data:image/svg+xml;base64,") == 3
    headings = re.findall("^## (.*)$", text, re.MULTILINE)
    assert len(set(headings)) == len(headings) == 5


def test_the_conclusion_is_the_smallest_that_is_surely_good_enough(searched):
    written = unwritten(proven(searched, least=0.99))
    assert written.is_found
    assert written.conclusion == (
        "trial-002 is the smallest on the front that is surely at least 99 % accurate and surely not worse than "
        "cnn.keras by more than 0.1 points: 5.00 kB with 99.40 % (99.18 – 99.56) on the test set; 'toolkit export "
        "search/trial-002' exports it"
    )


def test_what_is_not_shown_is_not_claimed(searched):
    written = unwritten(proven(searched, least=0.999))
    assert not written.is_found
    assert written.conclusion.startswith("of 3 candidates on the front, none is shown to be surely at least 99.9 %")


def test_without_a_proof_the_nearest_is_named(searched):
    asked = replace(searched.asked, budgets=Budgets(min_accuracy=0.995))
    of = replace(searched, asked=asked)
    best = max(of.finished, key=lambda one: one.accuracy)
    written = unwritten(of)
    assert not written.is_found
    assert f"no candidate reaches 99.5 % on the validation rows: the nearest, {best.name}, has 9" in written.conclusion
    assert written.conclusion.endswith("the test set was left closed")
    assert report.conclude(replace(of, candidates=())).startswith("no candidate has all its 3 epochs yet")


def test_what_reaches_the_accuracy_is_not_proven_before_the_test_set_was_opened(searched, tmp_path):
    for least in (None, 0.9):
        of = replace(searched, asked=replace(searched.asked, budgets=Budgets(min_accuracy=least)))
        assert report.conclude(of) == (
            "nothing is proven yet: 22 of 24 candidates finished, 1 given up, 1 diverged; call the same again to go on"
        )
    write_text(tmp_path / FRONT, "{}")
    assert report.conclude(replace(searched, folder=tmp_path)) == (
        "the front is chosen, but its proof is not written yet; call the same again"
    )


@pytest.mark.slow
def test_without_a_rival_nothing_is_said_of_one(searched):
    written = report.write(proven(searched, rival=None))
    assert "paired" not in written.markdown.read_text()
    assert "None" not in written.markdown.read_text()
    assert json.loads(json.dumps(written.to_json()))["proof"]["rival"] is None
    assert written.conclusion == (
        "the front has 3 candidates, from 2.00 kB with 98.90 % (98.62 – 99.12) on the test set to 9.00 kB with 99.50 % "
        "(99.30 – 99.64) on the test set"
    )
    one = replace(written.search.proof, members=written.search.proof.members[:1])
    assert report.conclude(replace(written.search, proof=one)) == (
        "the front has 1 candidate: 2.00 kB with 98.90 % (98.68 – 99.09) on the test set"
    )


@pytest.mark.slow
def test_every_chart_of_the_page_is_a_file(searched):
    written = report.write(proven(searched))
    names = re.findall(r"\]\((charts/[^)]*)\)", written.markdown.read_text())
    assert names == ["charts/front.png", "charts/tried.png", "charts/choices.png"]
    assert all((searched.folder / name).is_file() for name in names)


@pytest.mark.slow
def test_rings_mark_what_was_chosen(searched):
    """Of all that was tried the front, and of the front the smallest that reaches what was asked for."""

    def ringed(of):
        axes = {chart.name: chart.figure.axes[0] for chart in charts.draw(of)}
        return {name: list(line.get_xdata()) for name, one in axes.items() for line in one.lines if line.get_ms() == 11}

    of = proven(searched, least=0.99)
    sizes = [of.named(member.name).costs.size_bytes / 1e3 for member in of.proof.members]
    assert ringed(of) == {"tried": sizes, "front": [5.0]}
    assert ringed(searched) == {}


@pytest.mark.slow
@pytest.mark.parametrize("least", [None, 0.999], ids=["shown", "not shown"])
def test_a_front_of_one_network_is_drawn_in_the_middle_of_both_panels(searched, least):
    of = proven(searched, least=least)
    # Of this size matplotlib's own limits would be so near each other that it divides by their distance, zero.
    alone = replace(of, proof=replace(of.proof, members=(replace(of.proof.members[0], size_bytes=5_107),)))
    (chart,) = (one for one in charts.draw(alone) if one.name == "front")
    for axes in chart.figure.axes:
        (least, most), (place,) = axes.get_xlim(), axes.lines[0].get_xdata()
        assert place / least == pytest.approx(most / place)
        assert 1 < most / least < 10


def test_nothing_ended_is_nothing_to_report(tmp_path, tiny):
    of = search.begin(ASKED, tiny, tmp_path, jobs=1)
    with pytest.raises(RunError, match="no candidate has ended yet, there is nothing to report"):
        report.write(of)


def test_given_up_is_a_result_that_is_read_again(searched):
    states = [one.outcome.state for one in search.read(searched.folder).candidates]
    assert (states[2], states[3]) == ("diverged", "given up")


@pytest.mark.slow
def test_what_is_limited_stands_beside_what_the_files_tell(searched):
    def with_measured(one):
        count, latency_s = 3 * one.costs.macs, one.costs.macs * 1e-9
        costs = replace(
            one.costs,
            instructions=MeasuredCost(count, count, count, "qemu-x86_64 10.0.2 on Haswell"),
            latency_s=MeasuredCost(latency_s, latency_s, 1.1 * latency_s, "the floor on one thread of a CPU"),
        )
        return replace(one, costs=costs)

    of = proven(replace(searched, candidates=tuple(map(with_measured, searched.candidates))))
    budgets = replace(of.asked.budgets, max_memory_bytes=9e3, max_instructions=9e6, max_latency_s=1.0)
    written = report.write(replace(of, asked=replace(of.asked, budgets=budgets)))
    text = written.markdown.read_text()
    assert "Instructions: of one inference, by qemu-x86_64 10.0.2 on Haswell. Latency: of one inference, by the" in text
    assert "| candidate | size | MACs | memory | instructions | latency | validation |" in text
    first = written.search.named("trial-001").costs
    memory = f"{first.memory_bytes} B"
    assert (
        f"| trial-001 | 2.00 kB | {first.macs:,} | {memory} | {3 * first.macs:,} | {first.macs / 1_000:.1f} µs (at most"
    ) in text
    assert written.search.named("trial-001").to_json()["instructions"]["where"] == "qemu-x86_64 10.0.2 on Haswell"
