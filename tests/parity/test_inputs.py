"""What a model's input and output mean: what is said of it, and what trying it on training images costs and shows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.convention import CAFFE, STANDARD, TORCH, Convention, Layout, Output
from toolkit.data.base import Split
from toolkit.errors import UsageError
from toolkit.parity import inputs
from toolkit.parity.inputs import session_convention

COLOURED = ["bgr:0..1", str(TORCH), str(CAFFE)]


@pytest.mark.parametrize("given", [None, STANDARD[2]])
def test_what_is_said_of_a_model_with_channels_first_keeps_them_first(tmp_path, given):
    layout = Convention(layout=Layout.NCHW)
    session = SimpleNamespace(path=tmp_path / "model.onnx", declared=STANDARD[1], convention=layout)
    said = session_convention(session, given)
    assert (str(said), said.layout) == (str(given or STANDARD[1]), Layout.NCHW)


def test_a_model_that_says_nothing_of_its_input_has_no_known_range(tmp_path):
    session = SimpleNamespace(path=tmp_path / "model.onnx", declared=None, convention=Convention())
    assert session_convention(session, None) is None


class Model:
    """Right on the first so many images in the ranges that it knows, by their names; else it answers with class 0.

    The answers are probabilities, or, of two classes, the one of the second. tried: the ranges in which it was asked,
    and of how many images.
    """

    def __init__(self, rows, right, *, classes):
        self._labels, self._right, self._classes = rows.labels, right, classes
        self.convention, self.tried = Convention(), []
        self.path, self.output = "model.keras", SimpleNamespace(scale=None)

    def predict(self, images):
        self.tried.append((str(self.convention), len(images)))
        numbers = images[:, 0, 0, 0] + 256 * images[:, 1, 0, 0].astype(np.int64)
        known = numbers < self._right.get(str(self.convention), 0)
        answers = np.eye(max(2, self._classes), dtype=np.float32)[np.where(known, self._labels[numbers], 0)]
        return self.convention.answers(answers[:, 1:] if self._classes == 1 else answers)


def rows_of(classes, channels, count=inputs.IMAGES):
    """Return rows whose images hold their numbers."""
    images, numbers = np.zeros((count, 4, 4, channels), np.uint8), np.arange(count)
    images[:, 0, 0, 0], images[:, 1, 0, 0] = numbers % 256, numbers // 256
    return Split(images, numbers % max(2, classes))


def tried(right, *, classes=10, channels=3, count=inputs.IMAGES, chosen=STANDARD[0]):
    """Return (what is found out, the ranges that were tried and on how many images)."""
    rows = rows_of(classes, channels, count)
    model = Model(rows, right, classes=classes)
    convention = inputs.check(model, chosen, rows, path="model.keras", warn=pytest.fail)
    return convention, model.tried


def test_a_model_that_no_range_could_clearly_beat_is_asked_once():
    convention, ranges = tried({"0..1": 290})
    assert (convention, ranges) == (Convention(output=Output.PROBABILITIES), [("0..1", 300)])


@pytest.mark.parametrize(
    ("channels", "more"),
    [(1, []), (3, [*((one, 100) for one in COLOURED), ("bgr:0..1", 200)])],
)
def test_ranges_that_are_clearly_beaten_on_the_first_rows_are_not_asked_about_the_others(channels, more):
    convention, ranges = tried({"0..1": 200, "bgr:0..1": 210}, channels=channels)
    assert str(convention) == "0..1"
    assert ranges == [("0..1", 300), ("0..255", 100), ("-1..1", 100), *more]


def test_ranges_that_are_about_as_good_are_asked_about_all_rows():
    _, ranges = tried({"0..1": 200, "-1..1": 205}, channels=1)
    assert ranges == [("0..1", 300), ("0..255", 100), ("-1..1", 100), ("-1..1", 200)]


def test_a_model_near_chance_is_asked_about_all_rows_in_the_best_range_alone():
    rows, said = rows_of(10, 1), []
    model = Model(rows, {"-1..1": 12}, classes=10)
    inputs.check(model, STANDARD[0], rows, path="model.keras", warn=said.append)
    assert model.tried == [("0..1", 300), ("0..255", 100), ("-1..1", 100), ("-1..1", 200)]
    assert said[0].startswith("model.keras: near chance in every input range (of 300 training images right: 30 as 0..1")


def test_few_rows_are_asked_about_at_once():
    _, ranges = tried({"0..1": 80}, channels=1, count=199)
    assert ranges == [("0..1", 199), ("0..255", 199), ("-1..1", 199)]


def test_ranges_of_colour_are_left_out_where_a_standard_one_gets_nearly_all_right():
    rows = rows_of(10, 3)
    model = Model(rows, {"0..255": 295}, classes=10)
    with pytest.raises(UsageError, match=r"gets 98\.33 % of 300 training images right with 0\.\.255, 10\.00 % with 0"):
        inputs.check(model, STANDARD[0], rows, path="model.keras", warn=pytest.fail)
    assert model.tried == [("0..1", 300), ("0..255", 100), ("-1..1", 100), ("0..255", 200)]


def test_a_model_that_takes_blue_first_is_found_out():
    rows = rows_of(10, 3)
    model = Model(rows, {"0..1": 150, "bgr:0..1": 290}, classes=10)
    with pytest.raises(UsageError, match=r"right with bgr:0\.\.1, .* give --input-range bgr:0\.\.1"):
        inputs.check(model, STANDARD[0], rows, path="model.keras", warn=pytest.fail)
    assert {one for one, _ in model.tried} == {"0..1", "0..255", "-1..1", *COLOURED}


@pytest.mark.parametrize(
    ("order", "shares"),
    [
        ((1, 0), "0.00 % of 300 training images right, but 100.00 %"),
        ((2, 0, 1), "0.00 % of 300 training images right, but 100.00 %"),
        ((0, 1, 3, 2, 4, 5, 6, 7, 8, 9), "80.00 % of 300 training images right, but 100.00 %"),
    ],
)
@pytest.mark.parametrize("are_sorted", [False, True])
def test_a_model_that_knows_the_classes_in_another_order_is_warned_of(order, shares, are_sorted):
    rows, said = rows_of(len(order), 3), []
    rows = replace(rows, labels=np.sort(rows.labels)) if are_sorted else rows
    model = Model(replace(rows, labels=np.array(order)[rows.labels]), {"0..1": 300}, classes=len(order))
    assert str(inputs.check(model, STANDARD[0], rows, path="model.keras", warn=said.append)) == "0..1"
    (line,) = said
    assert f"gets {shares} if the classes of the data, one after the other, are its outputs " in line
    assert f"{', '.join(map(str, order))}: it knows them in another order" in line


def test_a_model_that_always_names_the_rarer_class_knows_no_order():
    rows, said = rows_of(2, 3), []
    rows = replace(rows, labels=(np.arange(len(rows)) % 10 > 0).astype(np.int64))
    inputs.check(Model(rows, {}, classes=2), STANDARD[0], rows, path="model.keras", warn=said.append)
    (line,) = said
    assert "near chance in every input range" in line


@pytest.mark.parametrize("said", [None, Output.SIGMOID])
def test_one_number_for_two_classes_is_judged_as_it_is_also_where_a_manifest_says_what_it_is(said):
    convention, ranges = tried({"0..1": 300}, classes=1, chosen=Convention(output=said))
    assert (convention.output, ranges) == (Output.SIGMOID, [("0..1", 300)])


def test_what_nobody_speaks_of_is_given_the_range_in_which_most_is_right():
    rows, said = rows_of(10, 3), []
    model = Model(rows, {"0..1": 40, "-1..1": 298}, classes=10)
    assert str(inputs.choose(model, rows, path="model.onnx", warn=said.append)) == "-1..1"
    assert model.tried == [("0..1", 300), ("0..255", 100), ("-1..1", 100), ("-1..1", 200)]
    assert said == [
        "model.onnx: no manifest says what pixels become; -1..1 is taken, with which 99.33 % of 300 training images "
        "are right (--input-range says otherwise)"
    ]
