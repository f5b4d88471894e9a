"""Causes are planted into linear models of a table, found on one half of its rows and confirmed on the other."""

import numpy as np
import pytest

from toolkit.convention import Convention, Layout
from toolkit.data.base import make_dataset
from toolkit.data.base.values import as_values
from toolkit.parity.causes import diagnose
from toolkit.parity.value_meaning import Scale, ValueMeaning, scales
from toolkit.reading import AS_THEY_ARE, Reading

CENTRES = np.random.default_rng(5).normal(0, 1.5, (3, 5))
UNITS = np.array([0.1, 1.0, 1000.0, 20.0, 5.0])
NAMES = ("width", "age", "area", "mass", "count")
ORDER = (3, 1, 4, 0, 2)


def rows_of(centres, units, reading=AS_THEY_ARE):
    rng = np.random.default_rng(0)
    parts = []
    for count in (300, 400):
        labels = np.arange(count) % 3
        parts += [(centres[labels] + rng.normal(0, 0.7, (count, len(units))) + 3) * units, labels]
    return make_dataset(tuple(parts), name="table", origin="tests", conversion=as_values, reading=reading)


@pytest.fixture(scope="module")
def table():
    """Rows of five measures in units of their own, whose classes are those of the nearest centre."""
    return rows_of(CENTRES, UNITS, Reading(columns=NAMES))


def linear(path, *, offset=0.0, unit=1.0, order=None, centres=CENTRES, units=UNITS):
    """Save a model of the nearest centre that takes (value - offset) / unit, in an order of columns."""
    from onnx import TensorProto, helper, numpy_helper, save

    # Of the values as they are, which are offset + unit * given.
    weights = 2 * centres.T / units[:, None]
    bias = -((centres**2).sum(axis=1)) - 6 * centres.sum(axis=1) + np.broadcast_to(offset, len(units)) @ weights
    weights = (np.broadcast_to(unit, len(units))[:, None] * weights)[
        list(range(len(units)) if order is None else order)
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["row", "weights", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["p"]),
        ],
        "linear",
        [helper.make_tensor_value_info("row", TensorProto.FLOAT, [None, len(units)])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 3])],
        [
            numpy_helper.from_array(np.asarray(one, np.float32), name)
            for name, one in (("weights", weights), ("bias", bias))
        ],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def found(tmp_path, table, **planted):
    reference = linear(tmp_path / "reference.onnx")
    return diagnose(linear(tmp_path / "candidate.onnx", **planted), reference, lambda shape: table, warn=pytest.fail)


def standardized(table):
    columns = table.train.images.astype(np.float64)
    return {"offset": columns.mean(axis=0), "unit": columns.std(axis=0)}


def test_standardized_columns_are_named(tmp_path, table):
    (cause,) = (diagnosis := found(tmp_path, table, **standardized(table))).causes
    assert cause.name == "standardization"
    assert cause.text == "it takes values of mean 0 and variance 1, each column by the training rows"
    assert (cause.after, diagnosis.explained, diagnosis.n, diagnosis.noun) == (1.0, True, 200, "row")
    assert diagnosis.agreement < 0.6


def test_columns_from_0_to_1_are_named(tmp_path, table):
    low, width = table.train.images.min(axis=0), np.ptp(table.train.images, axis=0)
    (cause,) = found(tmp_path, table, offset=low, unit=width).causes
    assert cause.text == "it takes values from 0 to 1, each column by the training rows"
    assert cause.after == 1.0


def test_an_order_of_columns_is_named(tmp_path, table):
    (cause,) = found(tmp_path, table, order=ORDER).causes
    assert cause.name == "order of columns"
    assert cause.text == "it takes columns in the order mass, age, count, width, area"
    assert cause.after == 1.0


def test_a_scale_and_an_order_are_named_together(tmp_path, table):
    (cause,) = found(tmp_path, table, order=(1, 2, 4, 3, 0), **standardized(table)).causes
    assert cause.name == "standardization and order of columns"
    assert cause.text.endswith("by the training rows, and columns in the order age, area, count, mass, width")
    assert cause.after == 1.0


def test_where_nothing_differs_or_nothing_helps_no_cause_is_named(tmp_path, table):
    same = found(tmp_path, table)
    assert (same.agreement, same.causes, same.explained) == (1.0, (), True)
    other = found(tmp_path, table, centres=np.random.default_rng(6).normal(0, 1.5, (3, 5)))
    assert not other.explained


def test_a_window_is_scaled_by_itself():
    windows = np.random.default_rng(0).normal(5, 3, (4, 20, 2)).astype(np.float32)
    windows[0, :, 1] = 7.0  # which has no width
    *_, own = scales(windows, pytest.fail)
    scaled = own.apply(windows)
    np.testing.assert_allclose(scaled.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=1), [[1, 0], [1, 1], [1, 1], [1, 1]], atol=1e-5)
    assert len(scales(windows, pytest.fail)) == len(scales(windows[:, 0], pytest.fail)) + 1


def as_they_are(columns):
    own = Scale("as they are", np.zeros(columns), np.ones(columns))
    return ValueMeaning(Convention(layout=Layout.VALUES), (own,), own)


def test_a_search_for_an_order_ends():
    """Of 60 columns there are 1,770 exchanges: two rounds are all that it takes time for."""
    asked = []

    def distance(meaning):
        asked.append(meaning.order)
        return 1 / (1 + len(asked))  # always nearer

    ((name, text, ordered),) = as_they_are(60).others(60, distance, pytest.fail)
    assert (name, text.endswith(", …"), sorted(ordered.order)) == ("order of columns", True, list(range(60)))
    assert len(asked) <= 2 + 2 * 1770


def test_many_columns_of_like_units_are_put_in_order():
    rng = np.random.default_rng(1)
    right, rows = rng.permutation(9), rng.normal(size=(50, 9))

    def distance(meaning):
        return float(np.abs(meaning.rows(rows) - rows[:, right]).mean())

    ((_, _, ordered),) = as_they_are(9).others(9, distance, pytest.fail)
    assert ordered.order == tuple(right)


@pytest.mark.parametrize("is_scaled", [False, True])
def test_many_columns_of_unlike_units_are_put_in_order(tmp_path, is_scaled):
    """Where exchanges of two lead nowhere: in a wrong order, columns of large units alone decide the answers."""
    rng = np.random.default_rng(2)
    units, centres, order = 10 ** rng.uniform(-2, 3, 20), rng.normal(0, 0.7, (3, 20)), rng.permutation(20)
    data = rows_of(centres, units)
    reference = linear(tmp_path / "reference.onnx", centres=centres, units=units)
    planted = standardized(data) if is_scaled else {}
    candidate = linear(tmp_path / "candidate.onnx", centres=centres, units=units, order=order, **planted)
    (cause,) = diagnose(candidate, reference, lambda shape: data, warn=pytest.fail).causes
    assert cause.name == ("standardization and order of columns" if is_scaled else "order of columns")
    assert cause.text.endswith(f"columns in the order {', '.join(map(str, order[:12]))}, …")
    assert cause.after == 1.0


def test_rows_that_would_take_too_much_are_not_asked_about():
    wide = np.random.default_rng(0).random((5, 2000)).astype(np.float32)
    assert all(scale.probes is None for scale in scales(wide, pytest.fail))
