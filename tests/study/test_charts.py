"""The charts of made-up studies: which there are, and what each lets a reader see."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from tests.study.made_up import plausible, study
from toolkit import drawing
from toolkit.study import charts
from toolkit.study.charts.base import log_axis
from toolkit.study.grid import Grid
from toolkit.study.trials import TrialState

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


def drawn(of, name):
    """Return the chart of that name, laid out."""
    chart = next(chart for chart in charts.draw(of) if chart.name == name)
    chart.figure.draw_without_rendering()
    return chart


def pixels(line):
    """Return the points of a line on the figure, (N, 2)."""
    return line.get_transform().transform(np.column_stack([line.get_xdata(), line.get_ydata()]))


def test_every_chart_is_drawn_of_a_whole_study():
    assert [chart.name for chart in charts.draw(study(plausible, WHOLE))] == NAMES


def test_a_study_with_nothing_to_show_has_no_charts():
    of = study(lambda recipe: {"accuracies": [], "state": TrialState.WAITING})
    assert list(charts.draw(of)) == []


def test_a_first_run_without_an_epoch_has_its_place_in_every_chart():
    def story(recipe):
        first = (recipe.activation, recipe.learning_rate) == ("relu", 0.01)
        return {"accuracies": [], "state": TrialState.DIVERGED} if first else plausible(recipe)

    assert "gradients-mlp" in [chart.name for chart in charts.draw(study(story, SMALL))]


def test_configurations_stand_in_the_order_of_the_unit_of_the_chart():
    def story(recipe):
        return {"accuracies": [0.5, 0.96 if recipe.activation == "relu" else 0.2, 0.96]}

    of = study(story, replace(SMALL, seeds=1, learning_rate=(0.1,)))
    for chart in charts.draw(of):
        if chart.name in ("epochs", "seconds"):
            names = [label.get_text() for label in chart.figure.axes[0].get_yticklabels()]
            assert [name.split(", ")[1] for name in names] == ["ReLU", "sigmoid"]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_chart_is_saved_to_the_same_bytes_again(tmp_path):
    first, second = (next(charts.draw(study(plausible))) for _ in range(2))
    left, right = charts.save(first, tmp_path / "a"), charts.save(second, tmp_path / "b")
    assert [path.read_bytes() for path in left] == [path.read_bytes() for path in right]


@pytest.mark.slow
def test_a_single_epoch_of_a_single_run_is_drawn(tmp_path):
    grid = replace(SMALL, activation=("relu",), learning_rate=(0.01,), epochs=(1,), seeds=1)
    drawn = [charts.save(chart, tmp_path) for chart in charts.draw(study(plausible, grid))]
    assert [png.stem for png, _ in drawn] == ["heat", "accuracy-mlp", "loss-mlp", "epochs", "seconds", "gradients-mlp"]


def test_epochs_are_whole_numbers_from_the_first_on():
    grid = replace(SMALL, learning_rate=(0.01,), epochs=(1,), seeds=1)
    of = study(lambda recipe: {"accuracies": [0.96]}, grid)
    (axes,) = drawn(of, "accuracy-mlp").figure.axes
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
    (axes,) = drawn(of, "epochs").figure.axes
    assert axes.get_xlim()[0] == 0.8


@pytest.mark.slow
def test_long_names_of_models_are_inside_the_picture():
    grid = replace(WHOLE, model=("tiny:width=2,depth=2,kernel=3,conv=separable,reduce=stride", "mlp"), seeds=1)
    for chart in charts.draw(study(plausible, replace(grid, learning_rate=(0.01,)))):
        chart.figure.draw_without_rendering()
        for title in (chart.figure._suptitle, *(axes.title for axes in chart.figure.axes)):
            box = title.get_window_extent()
            assert chart.figure.bbox.x0 <= box.x0 <= box.x1 <= chart.figure.bbox.x1, title.get_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy-mlp", "loss-mlp", "gradients-mlp"])
def test_each_row_of_panels_says_its_quantity_and_what_it_is_of(name):
    figure = drawn(study(plausible, Grid(model=("mlp",), learning_rate=(0.01,), epochs=(3,))), name).figure
    assert figure.get_supylabel() == ""
    first, last = (
        [axes for axes in figure.axes if getattr(axes.get_subplotspec(), f"is_{end}_col")()]
        for end in ("first", "last")
    )
    quantity = {"accuracy-mlp": "accuracy (%)", "loss-mlp": "loss", "gradients-mlp": "gradient norm"}[name]
    assert [axes.get_ylabel() for axes in first] == [quantity] * 4
    rows = ["cross-entropy\nAdam", "cross-entropy\nSGD", "mean squared error\nAdam", "mean squared error\nSGD"]
    assert [text.get_text() for axes in last for text in axes.texts] == rows


@pytest.mark.parametrize("name", ["accuracy-mlp", "loss-mlp", "rate", "gradients-mlp"])
def test_every_line_is_inside_its_frame(name):
    def story(recipe):
        right = [0.0, 0.5, 1.0] if recipe.activation == "relu" else [0.98, 0.99, 0.9999]
        return {"accuracies": right, "losses": [2.3, 1e-3, 1e-7], "gradients": [(1, 2), (1e-6, 1), (3, 2), (1, 1)]}

    figure = drawn(study(story, replace(SMALL, seeds=1)), name).figure
    for axes in figure.axes:
        frame = axes.get_window_extent()
        points = np.concatenate([pixels(line) for line in axes.lines if len(line.get_xdata())])
        assert frame.x0 < points[:, 0].min() < points[:, 0].max() < frame.x1
        assert frame.y0 < points[:, 1].min() < points[:, 1].max() < frame.y1


@pytest.mark.slow
def test_equal_lines_of_the_rate_do_not_cover_each_other():
    """As those of all that learns nothing, at 10 %."""
    grid = Grid(model=("mlp",), loss=("mse",), epochs=(1,))
    (axes,) = drawn(study(lambda recipe: {"accuracies": [0.1]}, grid), "rate").figure.axes
    lines = [line for line in axes.lines if len(line.get_xdata()) and line.get_marker() == "None"]
    assert len(lines) == 4
    heights = [pixels(line)[0, 1] for line in lines]
    assert np.diff(heights).min() > lines[0].get_linewidth() * drawing.DPI / 72


def test_the_heat_map_has_a_bar_of_its_colours_and_frames_the_best_of_each_model():
    """By validation accuracy: the highest test accuracy is elsewhere."""

    def story(recipe):
        return {"accuracies": [0.9 if recipe.activation == "relu" else 0.8], "test": 0.7 + recipe.learning_rate}

    figure = drawn(study(story, replace(WHOLE, seeds=1, learning_rate=(0.01, 0.1))), "heat").figure
    *panels, bar = figure.axes
    assert bar.get_ylabel() == "test accuracy (%)"
    assert [label.get_text() for label in bar.get_yticklabels()] == ["71", "80"]
    for axes in panels:
        framed = [patch.get_xy() for patch in axes.patches if patch.get_edgecolor() == to_rgba(drawing.VERMILION)]
        assert framed == [(-0.47, -0.45)]  # ReLU, the smaller of the rates
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["best of its model, by validation accuracy"]


def test_what_never_gets_there_takes_no_row_and_is_counted():
    def story(recipe):
        there = recipe.activation == "relu" and (recipe.model == "cnn" or recipe.learning_rate == 0.1)
        return {"accuracies": [0.2, 0.96 if there else 0.3]}

    chart = drawn(study(story, replace(WHOLE, seeds=1)), "epochs")
    cnn, mlp = chart.figure.axes
    assert len(cnn.get_yticklabels()) == 2
    assert [len(axes.texts) for axes in (cnn, mlp)] == [0, 1]
    assert mlp.texts[0].get_text() == "not reached"
    assert "Left out: 2 of 4 configurations" in chart.caption


@pytest.mark.slow
def test_an_axis_of_accuracies_that_are_close_has_labels():
    of = study(lambda recipe: {"accuracies": [0.961 + recipe.seed / 1000]}, replace(SMALL, epochs=(1,)))
    (axes,) = drawn(of, "seeds").figure.axes
    assert len(axes.get_xticklabels()) >= 2


@pytest.mark.parametrize(("low", "high"), [(5.2, 16.8), (0.3, 0.4), (80, 300), (1e-6, 1e6), (9, 11)])
def test_a_logarithmic_axis_has_labels_to_read_values_by(low, high):
    axes = drawing.new_figure(width=7, height=4).subplots()
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    log_axis(axes.xaxis)
    assert sum(low <= tick <= high for tick in axes.get_xticks()) >= 2
