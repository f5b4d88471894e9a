"""What ``toolkit bench`` prints of latencies, from made-up records."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import made_up
from toolkit.cli import bench
from toolkit.cli.bench import tables
from toolkit.console import Console

EXPORT = {"format": "tflite", "accuracy": 0.99}


@pytest.fixture
def printed(capsys):
    """Print a record of a machine with one core; return the lines, without the spaces of their columns."""

    def print_record(*results, failures=(), **facts):
        made = made_up.record(cores=1)
        made.results += results
        made.failures |= dict.fromkeys(failures, "it crashed")
        made.host = replace(made.host, **facts)
        bench.report(Console(), made)
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return print_record


def test_each_column_that_says_something_is_shown_and_explained(printed):
    original = made_up.result(2e-3, path="net/float32.tflite", quantization="float32", **EXPORT)
    int8 = made_up.result(1e-3, path="net/int8.tflite", quantization="int8", seed=1, **EXPORT)
    lines = printed(original, int8)
    assert "artifact size accuracy median 95 % interval floor p90 p99 speed-up vs. float32" in lines
    (row,) = [line for line in lines if line.endswith("faster, at least 1.99×")]
    assert row.startswith("int8.tflite 1 B 99.00 % 1.00 ms 1.00 – 1.00 ms ")
    for what in ("median", "floor", "p90, p99", "speed-up", "end to end"):
        assert sum(line.startswith(f"{what}: ") for line in lines) == 1
    assert any(", 1 core," in line for line in lines)
    assert not [line for line in lines if line.startswith("no speed-up")]
    lines = printed(original, int8, made_up.result(1e-3, path="net/int8.onnx", seed=2, format="onnx"))
    assert [line for line in lines if line.startswith("no speed-up where no float32 artifact")]


def test_what_nobody_has_a_figure_of_is_left_out_and_what_tells_a_speed_up_is_named(printed):
    one_by_one = replace(made_up.OPENED, loop=9)
    lines = printed(made_up.result(1e-6, path="foreign.tflite", opened=(one_by_one,) * made_up.PROCESSES))
    assert "artifact size median 95 % interval floor" in lines
    assert not [line for line in lines if line.startswith(("p90", "paced"))]
    assert any(line.startswith("– : not measured") for line in lines)
    (said,) = [line for line in lines if line.startswith("no speed-up")]
    assert f"{said} files side by side." == " ".join(tables.NO_SPEEDUP.split())


def test_an_artifact_that_failed_has_a_row_even_if_it_is_the_only_one(printed):
    lines = printed(failures=["net/bad.tflite"])
    assert lines[1:5] == ["Latency of one inference", "", "artifact vs. float32", "─" * len(lines[4])]
    assert lines[5] == "bad.tflite failed"
    assert not [line for line in lines if line.startswith(("speed-up", "end to end", "End to end"))]


def test_of_an_emulated_machine_the_artifacts_are_shown_and_no_times(printed):
    lines = printed(made_up.result(1e-3, path="net/int8.tflite", **EXPORT), failures=["bad.tflite"], emulated=True)
    shown = [line for line in lines if line and not line.startswith("─")]
    assert shown[:4] == [
        "Each ran once: this machine is emulated, and its times are no latencies",
        "artifact runtime size accuracy",
        "int8.tflite litert 1 B 99.00 %",
        "bad.tflite – – failed",
    ]
    assert shown[4].endswith(str(made_up.record().host.python))
    assert shown[5:] == [f"record with the raw samples: {Path('record')}/"]
