"""The picture of a benchmark, from made-up measurements."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from tests.bench.test_record import record_of  # noqa: F401 — a fixture
from toolkit import drawing
from toolkit.bench import labels, plot
from toolkit.bench.front import contenders, front
from toolkit.bench.labels import Label
from toolkit.bench.result import names as names_of
from toolkit.errors import ArtifactError, MissingExtraError, UsageError

MEDIANS = {"cnn-float32.tflite": 60, "cnn-float16.tflite": 61, "cnn-int8.tflite": 20, "cnn-int8.onnx": 50}
ACCURACIES = {"cnn-float32.tflite": 0.99, "cnn-float16.tflite": 0.99, "cnn-int8.tflite": 0.985, "cnn-int8.onnx": 0.98}


@pytest.fixture
def record(record_of):  # noqa: F811
    made = record_of(MEDIANS)
    made.results = [replace(r, accuracy=ACCURACIES[r.path.name]) for r in made.results]
    return made


def names(results):
    return [result.path.name for result in results]


def test_the_front_is_what_no_other_equals_in_accuracy_latency_and_size(record):
    float32, float16, int8, onnx = record.results
    assert float16.size_bytes < float32.size_bytes
    assert names(front(record.results)) == ["cnn-float32.tflite", "cnn-float16.tflite", "cnn-int8.tflite"]
    smaller = replace(onnx, size_bytes=1)
    assert names(front([float32, int8, smaller])) == ["cnn-float32.tflite", "cnn-int8.tflite", "cnn-int8.onnx"]
    assert names(front([float32, replace(int8, parity="fail"), onnx])) == ["cnn-float32.tflite", "cnn-int8.onnx"]


def test_one_result_of_an_artifact_stands_for_it_and_those_of_unknown_accuracy_are_out(record):
    float32, _, int8, onnx = record.results
    slower = replace(float32, threads=2, invoke=int8.invoke)
    assert contenders([float32, slower, replace(int8, accuracy=None), replace(onnx, batch=8)]) == [slower]
    same = replace(float32, threads=2)
    assert contenders([same, float32]) == [float32]


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "starts"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_the_picture_of_a_benchmark_is_written(record, tmp_path, suffix, starts):
    path = tmp_path / f"bench{suffix}"
    assert plot.draw(path, record) is None
    assert path.read_bytes().startswith(starts)


def test_a_picture_names_artifacts_latencies_and_accuracies(record, tmp_path):
    path = tmp_path / "bench.svg"
    with rc_context({"svg.fonttype": "none"}):
        plot.draw(path, record)
    text = path.read_text()
    for words in ("cnn-int8.onnx", "20.0 µs", "median", "p99", "accuracy (%)", "front of accuracy and latency"):
        assert words in text


def test_where_accuracies_are_missing_latencies_are_drawn_alone(record, tmp_path):
    record.results = [replace(r, accuracy=None) for r in record.results]
    assert "no accuracy is known" in plot.draw(tmp_path / "a.svg", record)
    record.results[0] = replace(record.results[0], accuracy=0.99)
    assert "one artifact alone" in plot.draw(tmp_path / "b.svg", record)
    assert b"accuracy" not in (tmp_path / "b.svg").read_bytes()


def test_a_p99_that_is_withheld_is_not_drawn(record, tmp_path):
    looped = tuple(replace(opened, loop=10) for opened in record.results[0].opened)
    record.results = [replace(record.results[0], opened=looped)]
    with rc_context({"svg.fonttype": "none"}):
        plot.draw(tmp_path / "loops.svg", record)
    assert "withheld" in (tmp_path / "loops.svg").read_text()


def test_what_cannot_be_drawn_is_said_before_anything_is_measured(record, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"front\.pdf: a picture must end in \.png or \.svg"):
        drawing.check(Path("front.pdf"))
    monkeypatch.setattr("toolkit.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"matplotlib is not installed; .*\[train\]"):
        drawing.check(Path("front.png"))


def test_emulated_time_is_not_drawn(record, tmp_path):
    record.host = replace(record.host, emulated=True)
    with pytest.raises(ArtifactError, match="no latencies to draw, emulated"):
        plot.draw(tmp_path / "a.png", record)


def test_no_label_covers_another_or_a_marker():
    rng = np.random.default_rng(1)
    figure = Figure(figsize=(11, 6))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set(xlim=(0, 1.3), ylim=(-0.5, 1.5))
    points = [(x, y) for y in (0.0, 1.0) for x in 0.8 + 0.05 * rng.random(7)]  # two clusters of seven
    texts = labels.place(
        axes, [Label(at, 60.0, f"an-artifact-{n}.tflite, 99 kB", n % 2 == 0) for n, at in enumerate(points)]
    )
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in texts]  # without its line
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
        assert not any(box.contains(*axes.transData.transform(point)) for point in points)


def test_two_files_of_one_name_are_told_apart(record_of, exported, tmp_path):  # noqa: F811
    made = record_of({"cnn-int8.tflite": 20})
    other = Path(shutil.copytree(exported, tmp_path / "other"))
    made.results.append(replace(made.results[0], path=other / "cnn-int8.tflite"))
    assert names_of(made.results) == ["cnn/cnn-int8.tflite", "other/cnn-int8.tflite"]


@pytest.mark.slow
def test_a_name_in_the_picture_is_no_formula_and_steers_nothing(record, tmp_path):
    """Warnings are errors here, and matplotlib warns of characters that no font has."""
    record.results = [replace(r, path=Path(f"a$\x1b_{{$b{number}.tflite")) for number, r in enumerate(record.results)]
    with rc_context({"svg.fonttype": "none"}):
        plot.draw(tmp_path / "bench.svg", record)
    assert r"a$\x1b_{$b0.tflite" in (tmp_path / "bench.svg").read_text(encoding="utf-8")
