"""The figures of the sections, against those that the project has elsewhere or that are known beforehand."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.conftest import verification
from tests.test_docs import OPTIONS
from toolkit import manifest
from toolkit.convention import Convention, Layout
from toolkit.data.base import Split
from toolkit.entries import EvaluationSet
from toolkit.errors import ArtifactError, ToolkitError
from toolkit.overlap import Overlap
from toolkit.parity.evidence import CANDIDATE_ROW, REFERENCE_ROW, RowFile
from toolkit.parity.figures import Flip, compute
from toolkit.parity.statistics import loss_bounds
from toolkit.reading import Reading
from toolkit.report import sections
from toolkit.report.sections import confusion, flips, front, latency, model, reliability, shipping, training, verdicts
from toolkit.report.subject import Rows, Subject


def subject(folder, record=None, **more):
    return Subject(manifest.read(folder), (), record, **more)


def text(section):
    """Return the words of a section, without its elements."""
    return " ".join(re.sub(r"<[^>]+>", " ", section.body).split())


def rows(dtype, **columns):
    """Return a table of rows."""
    made = np.zeros(len(next(iter(columns.values()))), dtype)
    for name, values in columns.items():
        made[name] = values
    table = RowFile(made.dtype)
    table.append(made)
    return table


def with_rows(found, reference, **artifacts):
    """Give a subject rows that are known."""
    found.__dict__["rows"] = Rows(reference, artifacts, "0")
    return found


def test_sections_have_an_order_and_titles_of_their_own():
    every = sections.in_order()
    assert len({module.ORDER for module in every}) == len({module.TITLE for module in every}) == len(every)
    assert every[0] is shipping


def test_the_forest_plot_has_the_bounds_that_decide(shipped):
    found = manifest.read(shipped)
    lost, gained, n = 12, 5, 10_000
    known = verification("pass", 0.98)
    first = replace(found.artifacts[0], verified=replace(known, lost=lost, gained=gained, n=n))
    replace(found, artifacts=(first,)).write()
    shown = verdicts.show(subject(shipped))
    lower, upper = (100 * bound for bound in loss_bounds(lost, gained, n))
    assert f" 0.070 ({lower:.3f} – {upper:.3f}) 12 / 5 98.00 % 98.00 %" in text(shown).replace("−", "-")
    assert "✓ pass" in text(shown)
    strip = ElementTree.fromstring(re.search(r"<svg.*?</svg>", shown.body)[0])
    axis = verdicts._axis([first.verified])
    line = next(one for one in strip if one.attrib.get("class") == "ink")
    assert float(line.attrib["x1"]) == pytest.approx(axis.at(lower), abs=0.01)
    assert float(line.attrib["x2"]) == pytest.approx(axis.at(upper), abs=0.01)
    limit = next(one for one in strip if one.attrib.get("class") == "limit")
    assert float(limit.attrib["x1"]) == pytest.approx(axis.at(0.5), abs=0.01)


def test_a_check_that_failed_says_why_and_a_verification_without_figures_has_no_line(shipped):
    found = manifest.read(shipped)
    broken = replace(verification("fail"), lost=None, gained=None, others={"problem": "softmax <missing>?"})
    replace(found, artifacts=(replace(found.artifacts[0], verified=broken), *found.artifacts[1:])).write()
    shown = verdicts.show(subject(shipped))
    assert "✗ fail softmax &lt;missing&gt;?" in text(shown)
    assert shown.body.count("<svg") == 6  # five artifacts and the axis
    replace(found, artifacts=(replace(found.artifacts[0], verified=broken),)).write()
    assert "<svg" not in verdicts.show(subject(shipped)).body


def test_figures_on_images_that_were_learned_from_are_marked(shipped):
    found = manifest.read(shipped)
    overlap = (Overlap("test", "training", 7, 90, (1, 2)),)
    leaky = replace(verification("pass", 0.98), dataset=EvaluationSet("tiny", overlap))
    replace(found, artifacts=(replace(found.artifacts[0], verified=leaky),)).write()
    said = text(verdicts.show(subject(shipped)))
    assert "98.00 %*" in said
    assert "* not an accuracy: 7 of the 90 test images are training images too (rows 1, 2, …)." in said


def test_what_was_not_verified_is_no_forest(shipped):
    found = manifest.read(shipped)
    replace(found, artifacts=tuple(replace(one, verified=None) for one in found.artifacts)).write()
    with pytest.raises(ArtifactError, match=r"no artifact was verified; 'toolkit verify .* --save'"):
        verdicts.show(subject(shipped))


LABELS, KERAS, ARTIFACT = [0, 0, 1, 1, 2], [0, 1, 1, 1, 2], [0, 0, 1, 2, 2]


@pytest.fixture
def three(shipped):
    """A subject of three classes and five images, of which the artifact that is looked at changes two."""
    found = manifest.read(shipped)
    replace(found, data=replace(found.data, classes=("cat", "dog", "<fish>"))).write()
    made = subject(shipped)
    reference = rows(REFERENCE_ROW, label=LABELS, prediction=KERAS, confidence=[0.9, 0.5, 0.9, 0.9, 0.7])
    other = rows(CANDIDATE_ROW, prediction=ARTIFACT, confidence=[0.9, 0.5, 0.9, 0.9, 0.7])
    return with_rows(made, reference, **{made.chosen.path: other})


def test_a_confusion_matrix_counts_what_is_taken_for_what(three):
    table = three.rows.artifacts[three.chosen.path]
    assert confusion.count(three.rows.reference, table, 3).tolist() == [[2, 0, 0], [0, 1, 1], [0, 0, 1]]
    shown = confusion.show(three)
    assert shown.body.count('class="matrix"') == 2
    assert '<td class="wrong changed">1</td>' in shown.body
    assert '<td class="right changed">2</td>' in shown.body
    assert "&lt;fish&gt;" in shown.body


def test_of_many_classes_the_commonest_confusions_are_listed(three, monkeypatch):
    monkeypatch.setattr(confusion, "MOST_CLASSES", 2)
    said = text(confusion.show(three))
    assert "Of 3 classes, the 2 commonest confusions." in said
    assert "cat dog 1 0" in said
    assert "dog &lt;fish&gt; 0 1" in said


def test_rows_of_a_table_are_not_called_images(three):
    values = replace(three.manifest, convention=Convention(layout=Layout.VALUES))
    table = with_rows(Subject(values, ()), three.rows.reference, **three.rows.artifacts)
    for module in (model, verdicts, confusion, reliability):
        assert "images" in text(module.show(three)) or module is confusion
        assert "images" not in text(module.show(table)).replace(three.manifest.data.name, "")
    assert "train rows" in text(model.show(table))


def test_the_calibration_error_is_that_of_the_record(shipped):
    found = subject(shipped)
    for name, table in found.rows.artifacts.items():
        figures = compute(found.rows.reference, table, classes=10)
        assert reliability.calibration(found.rows.reference, table).error() == figures.calibration_error, name


def test_the_bins_of_reliability_hold_all_images(three):
    found = reliability.bins(reliability.calibration(three.rows.reference, three.rows.reference))
    assert [(one.images, one.right.value) for one in found] == [(1, 0.0), (1, 1.0), (3, 1.0)]
    assert [one.confidence for one in found] == pytest.approx([0.5, 0.7, 0.9])
    said = text(reliability.show(three))
    assert "ECE 22.00 %" in said
    assert "ECE 30.00 %" in said
    assert said.count("reliability of") == 2


@pytest.mark.parametrize("section", [confusion, reliability])
def test_an_artifact_without_rows_says_what_keeps_them(three, section):
    three.rows.artifacts.clear()
    with pytest.raises(
        ArtifactError, match=r"has no outputs of mlp-dynamic\.tflite; 'toolkit verify --save' keeps them"
    ):
        section.show(three)


def test_flips_are_shown_as_pictures_lost_ones_first(three):
    three.__dict__["test_set"] = Split(np.zeros((5, 200, 200, 1), np.uint8), np.array(LABELS))
    shown = flips.show(three)
    said = text(shown)
    assert "2 changes of class by 1 of 1 artifact: 1 lost (only Keras is right), 1 gained" in said
    lost, gained = "#3: dog. Keras: dog, artifact: &lt;fish&gt;", "#1: cat. Keras: dog, artifact: cat"
    assert said.index(lost) < said.index(gained)
    assert shown.body.count('src="data:image/png;base64,') == 2
    three.__dict__["test_set"] = Split(np.zeros((5, 9), np.float32), np.array(LABELS))
    with pytest.raises(ToolkitError, match="2 changes of class, of rows that are no images"):
        flips.show(three)


def test_the_command_that_trains_again_has_what_the_recipe_has_beside_and_no_name_of_ones_own(shipped):
    found = manifest.read(shipped)
    more = {"balance": True, "patience": 3, "freeze_until": None, "augment": "flip", "odd": ["x"]}
    own = replace(found.recipe, model="my_net", others=more)
    made = replace(found, recipe=own, data=replace(found.data, name="fruit"))
    (command,) = training._again(made)
    assert command.startswith("toolkit train --data DATA --model FILE --optimizer adam ")
    assert command.endswith(" --balance --patience 3 --augment flip")
    assert training._again(replace(found, recipe=None)) == {}


@pytest.mark.parametrize(
    ("reading", "options"),
    [
        (
            {"image_size": (32, 48), "resize": "crop", "skip_unreadable": True},
            "--image-size 32x48 --resize crop --skip-unreadable",
        ),
        ({"window": 100, "stride": 50}, "--window 100 --stride 50"),
        ({"keys": {"label": "species"}, "columns": ("a", "b")}, "--keys label=species"),
    ],
)
def test_the_command_that_trains_again_reads_the_data_as_they_were_read(shipped, reading, options):
    found = manifest.read(shipped)
    read_otherwise = replace(found, data=replace(found.data, name="fruit", reading=Reading(**reading)))
    (command,) = training._again(read_otherwise)
    assert command.startswith(f"toolkit train --data DATA {options} --model mlp ")


def test_where_nothing_flips_it_says_so(three):
    three.rows.artifacts[three.chosen.path] = rows(CANDIDATE_ROW, prediction=KERAS)
    assert "No artifact puts any of the test images into another class" in text(flips.show(three))
    three.rows.artifacts.clear()
    with pytest.raises(ArtifactError, match="has outputs of none of these files"):
        flips.show(three)


def test_a_flip_from_wrong_to_wrong_is_called_that():
    assert Flip(0, label=1, reference=2, candidate=3).kind == "both wrong"


def test_the_latencies_of_a_benchmark_are_those_of_its_samples(shipped, benchmark, tmp_path):
    record = benchmark(tmp_path / "one")
    record.failures["x.tflite"] = "x.tflite: broken"
    shown = latency.show(subject(shipped, record))
    said = text(shown)
    for result in record.results:
        assert result.path.name in said
    assert "2.00 µs" in said
    assert "faster, at least" in said
    assert "x.tflite could not be measured: x.tflite: broken" in said
    assert "disturbances none was seen" in said
    assert shown.body.count("<svg") == 4
    assert "toolkit record check one" in shown.again


def test_the_disturbances_of_the_machine_are_told_with_the_remedy(shipped, benchmark, tmp_path):
    from toolkit.bench.conditions import STEAL
    from toolkit.bench.result import Mark
    from toolkit.host import read_state

    record = benchmark(tmp_path / "one")
    record.results[0] = replace(record.results[0], marks=(Mark(0, 1, STEAL),))
    record.before = read_state()
    said = text(latency.show(subject(shipped, record)))
    assert f"{STEAL} in 1 of 75 turns: measure on a machine of its own" in said
    assert "state before" in said


def test_the_front_names_who_is_beaten_by_none(shipped, benchmark, tmp_path):
    record = benchmark(tmp_path / "one")
    float32 = next(one for one in record.results if "float32" in one.path.name)
    record.results[0] = replace(record.results[0], accuracy=float32.accuracy - 0.01)
    said = text(front.show(subject(shipped, record)))
    assert re.search(r"A mlp-int8\.tflite [\d.]+ % 2\.00 µs 108 kB ✓ pass yes", said)
    assert re.search(r"B mlp-float32\.tflite [\d.]+ % 5\.\d+ µs 409 kB ✓ pass yes", said)
    record.results = record.results[:1]
    with pytest.raises(ArtifactError, match="it takes accuracy and latency of two artifacts"):
        front.show(subject(shipped, record))


def test_a_letter_stands_on_no_marker_and_on_no_other_letter(shipped, benchmark, tmp_path):
    """Two files are much the same, and lie on a larger one."""
    record = benchmark(tmp_path / "one", {"mlp-int8.tflite": 2, "mlp-dynamic.tflite": 2.04, "mlp-float32.onnx": 2.02})
    drawn = ElementTree.fromstring(re.search(r"<svg.*?</svg>", front.show(subject(shipped, record)).body, re.DOTALL)[0])
    letters = [one for one in drawn.iter() if one.tag.endswith("text") and one.text in ("A", "B", "C")]
    places = [np.array([float(one.get("x")), float(one.get("y")) - 4]) for one in letters]
    circles = [one for one in drawn.iter() if one.tag.endswith("circle") and float(one.get("cy")) > 20]
    assert len(places) == 3
    assert len(circles) == 2
    for number, place in enumerate(places):
        assert all(np.hypot(*(place - other)) >= front.LETTER for other in places[:number])
        for one in circles:
            assert np.hypot(*(place - [float(one.get("cx")), float(one.get("cy"))])) >= float(one.get("r")) + 6


def test_what_to_ship_is_what_the_benchmark_recommends(shipped, benchmark, tmp_path):
    record = benchmark(tmp_path / "one")
    said = text(shipping.show(subject(shipped, record)))
    assert said.startswith("Ship mlp-int8.tflite : the fastest of 3 measured here: 2.00 µs per inference")
    assert "6 ✓ pass" in said
    record.results = [replace(one, parity="fail") for one in record.results]
    assert text(shipping.show(subject(shipped, record))).startswith("nothing to ship: all failed their verification")


def test_the_curves_are_those_of_the_history_else_the_charts_of_the_export(shipped, monkeypatch):
    from toolkit.report.history import EpochFigures

    made = subject(shipped)
    with pytest.raises(ArtifactError, match="the training run 'mlp-full' is not beside the export"):
        training.show(made)
    (shipped / "loss.png").write_bytes(b"\x89PNG\r\n\x1a\n1")
    (shipped / "accuracy.png").write_bytes(b"no picture")
    shown = training.show(made)
    assert shown.body.count("<img") == 1
    (command,) = shown.again
    assert command.startswith("toolkit train --data mnist --model mlp --optimizer adam --learning-rate 0.001 ")
    assert {word for word in command.split() if word.startswith("--")} <= OPTIONS["train"]
    assert "The charts of the export; the training run" in text(shown)
    made.__dict__["history"] = [EpochFigures(n, 1 / n, 0.9, 1.1 / n, 0.89) for n in range(1, 101)]
    shown = training.show(made)
    assert shown.body.count("<svg") == 2
    assert "loss of 100 epochs: training ends at 0.01, validation ends at 0.011" in text(shown)
    assert f"kept: epoch {made.manifest.source.metrics.best_epoch}" in text(shown)
    made.__dict__["history"] = [EpochFigures(1, 1.0, 0.9, float("nan"), float("nan"))]
    shown = training.show(made)
    assert "validation" not in text(shown).partition("loss of 1 epoch:")[2]
    assert ">1</text>" in shown.body
    assert ">2</text>" not in shown.body  # there was no second epoch
