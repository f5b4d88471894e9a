from pathlib import Path

import pytest

from toolkit import units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 ns"),
        (4.5e-9, "4.50 ns"),
        (2.13e-5, "21.3 µs"),
        (9.994e-4, "999 µs"),
        (9.996e-4, "1.00 ms"),
        (0.00125, "1.25 ms"),
        (7.1, "7.10 s"),
        (59.9, "59.9 s"),
        (59.96, "1 min 0 s"),
        (800, "13 min 20 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_seconds_have_three_figures(value, text):
    assert units.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(812, "812 B"), (432_840, "433 kB"), (999_600, "1.00 MB"), (1_690_948, "1.69 MB")]
)
def test_sizes_are_decimal(value, text):
    assert units.size(value) == text


def test_shares_become_percentages():
    assert units.percent(0.98905) == "98.91 %"
    assert units.percent(0.015, "+.1f") == "+1.5 %"


@pytest.mark.parametrize(
    ("low_s", "high_s", "text"),
    [(145e-6, 180e-6, "145 – 180 µs"), (950e-9, 1.02e-6, "950 ns – 1.02 µs"), (61, 3700, "1 min 1 s – 1 h 1 min")],
)
def test_an_interval_names_a_unit_once(low_s, high_s, text):
    assert units.interval(low_s, high_s) == text


def test_files_of_one_name_are_told_apart_by_their_folders():
    assert units.short_names([Path("a/x.onnx"), Path("b/y.onnx")]) == ["x.onnx", "y.onnx"]
    assert units.short_names([Path("r/a/x.onnx"), Path("r/b/x.onnx"), Path("r/a/y.onnx")]) == [
        "a/x.onnx",
        "b/x.onnx",
        "y.onnx",
    ]
    assert units.short_names([Path("x.onnx"), Path("x.onnx")]) == ["x.onnx", "x.onnx"]


@pytest.mark.parametrize(
    ("value", "text"), [(4.02e11, "402 G/s"), (4e10, "40.0 G/s"), (5.36e6, "5.36 M/s"), (7, "7 /s")]
)
def test_rates_have_three_figures(value, text):
    assert units.rate(value) == text


def test_a_count_has_its_noun():
    assert [units.count(number, "epoch") for number in (0, 1, 1500)] == ["0 epochs", "1 epoch", "1,500 epochs"]


def test_the_first_of_many_words_say_that_there_are_more():
    assert units.first(["a", "b"], 2) == "a, b"
    assert units.first([3, 1, 2], 2, between="; ") == "3; 1; …"
