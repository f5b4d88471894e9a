"""Axes and pictures in SVG."""

from xml.etree import ElementTree

import pytest

from toolkit.report import svg
from toolkit.report.svg import Axis


def test_an_axis_places_its_ends_and_what_is_between():
    axis = Axis(0.0, 10.0, 100.0, 200.0)
    assert [axis.at(value) for value in (0, 5, 10)] == [100.0, 150.0, 200.0]
    assert [axis.at(value) for value in (-5, 50)] == [100.0, 200.0]


def test_a_logarithmic_axis_has_the_geometric_mean_in_its_middle():
    axis = Axis(1e-6, 1e-2, 0.0, 400.0, logarithmic=True)
    assert axis.at(1e-4) == pytest.approx(200.0)
    assert axis.ticks == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    assert Axis(1e-5, 4e-5, 0, 1, logarithmic=True).ticks == pytest.approx([1e-5, 2e-5])


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 10.0, [0, 2, 4, 6, 8, 10]),
        (-0.13, 0.52, [0.0, 0.2, 0.4]),
        (98.7, 99.1, [98.7, 98.8, 98.9, 99.0, 99.1]),
        (-3.0, 3.0, [-2, 0, 2]),
    ],
)
def test_ticks_are_round_numbers_within_the_axis(low, high, ticks):
    assert Axis(low, high, 0, 1).ticks == pytest.approx(ticks)


@pytest.mark.parametrize("values", [[1.0], [0.0], [-2.0, -2.0], [1.0, 5.0]])
def test_an_axis_for_values_has_room_around_them_even_if_all_are_one(values):
    low, high = svg.spread(values)
    assert low < min(values)
    assert high > max(values)


def test_kinds_of_markers_differ_in_shape():
    shapes = [svg.marker(kind, 0.0, 0.0, "x") for kind in range(4)]
    assert len({ElementTree.fromstring(shape).tag + shape for shape in shapes}) == 4
    assert {ElementTree.fromstring(shape).tag for shape in shapes} == {"circle", "polygon"}


def test_a_picture_is_xml_that_says_what_it_shows():
    axis, height = Axis(0.0, 10.0, 10.0, 90.0), Axis(0.0, 1.0, 40.0, 5.0)
    parts = [
        svg.across(axis, 40, svg.numbers(axis), "a < b"),
        svg.up(height, 10, svg.numbers(height), "c", right=90),
    ]
    drawn = svg.picture(100, 50, *parts, says="<what>")
    root = ElementTree.fromstring(drawn)
    assert root.attrib["viewBox"] == "0 0 100 50"
    assert root.find("{http://www.w3.org/2000/svg}title").text == "<what>"
    assert "a < b" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
