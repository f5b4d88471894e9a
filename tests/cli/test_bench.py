"""``toolkit bench``."""

import json

import pytest

from tests.runtimes.test_shapes import pooled

MISTAKES = [
    (("bench", "EMPTY"), "nothing to measure there"),
    (("bench", "none.tflite"), "none.tflite: no such file or folder"),
    (("bench", "CUT.tflite", "--seconds", "0.01"), "CUT.tflite: LiteRT cannot load it"),
    (("bench", "CUT.onnx", "--seconds", "0.01"), "CUT.onnx: ONNX Runtime cannot load it"),
    (("bench", "CUT.tflite", "--threads", "two"), "--threads is 'two'; it must be a whole number"),
    (("bench", "CUT.tflite", "--seconds", "-1"), "the number of seconds is -1; it must be from 0.001 to 3,600"),
    (("bench", "CUT.tflite", "--processes", "0"), "the number of processes is 0; it must be from 1 to 1,000"),
    (("bench", "CUT.tflite", "--processes", "2147483648"), "the number of processes is 2,147,483,648; it must be"),
    (("bench", "CUT.tflite", "--threads", "2000"), "the number of threads is 2,000; it must be from 1 to 1,024"),
    (("bench", "CUT.tflite", "--batch", "1,9999999"), "the batch size is 9,999,999; it must be from 1 to 65,536"),
    (("bench", "CUT.tflite", "--rate", "1e-9"), "the rate, in images a second, is 1e-09; it must be from 0.1 to"),
    (("bench", "CUT.tflite", "--max-latency", f"{10**400}s"), "it must be a number and a unit"),
    (("bench", "CUT.tflite", "--max-latency", "fast"), "--max-latency is 'fast'; it must be a number and a unit"),
    (
        ("bench", "CUT.onnx", "--shape", "1,3,8,8"),
        "--shape is '1,3,8,8'; it must be an input and its sizes, as in image:1",
    ),
    (("bench", "CUT.onnx", "--shape", "x:1,-3"), "--shape is 'x:1,-3'; it must be an input and its sizes"),
    (("bench", "CUT.onnx", "--shape", "x:1", "--shape", "x:2"), "--shape gives 'x' twice; give each input once"),
    pytest.param(
        ("bench", "CUT.keras", "--import", "none.py"),
        "none.py: no such file; give a Python file",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.slow
def test_bench_measures_an_input_of_any_size_in_the_shape_that_is_given(cli, here):
    path = pooled(here / "pooled.onnx")
    quick = ("bench", path, "--seconds", "0.05", "--processes", "1", "--json")
    code, out, _ = cli(*quick, "--shape", "pixels:1,3,16,16")
    assert code == 0
    (result,) = json.loads(out)["results"]
    assert (result["artifact"], result["batch"]) == (str(path), 1)
    code, _, err = cli(*quick)
    assert code == 2
    assert "'compare' take others by --shape NAME:1,3" in err


@pytest.mark.slow
def test_bench_prints_its_tables(cli, exported_once, here):
    code, out, _ = cli(
        "bench", exported_once / "cnn-int8.tflite", exported_once / "cnn-float32.tflite", "--seconds", "0.1",
        "--processes", "2", "--rate", "100",
    )  # fmt: skip
    assert code == 0
    assert "Latency of one inference, 1 thread, 1 image" in out
    assert "paced median" in out
    assert "speed-up" in out
    assert "baseline" in out
    assert f"ship:  {exported_once}" in out
    (folder,) = (here / "benchmarks").iterdir()
    assert f"record with the raw samples: {folder.relative_to(here)}/" in out
    assert len(list(folder.glob("*.npz"))) == 2


@pytest.mark.slow
def test_bench_says_what_changed_on_the_machine_and_strict_fails(cli, exported_once, here, monkeypatch):
    monkeypatch.setattr("toolkit.bench.conditions.changes", lambda *looks, seconds: ("under-voltage now",))
    quick = ("bench", exported_once / "cnn-int8.tflite", "--seconds", "0.05", "--processes", "1")
    code, _, err = cli(*quick)
    assert code == 0
    assert "under-voltage now in 3 of 3 blocks, which are left in; use a stronger power supply" in err
    assert cli(*quick, "--strict")[0] == 1


@pytest.mark.slow
def test_bench_with_budgets_that_nothing_fits_fails_and_names_the_nearest(cli, exported_once, here):
    quick = ("bench", exported_once / "cnn-int8.tflite", "--seconds", "0.05", "--processes", "1")
    code, out, _ = cli(*quick, "--max-size", "1kB")
    assert code == 1
    assert "none:  " in out
    assert "nothing fits; the nearest misses size by" in out
    code, out, _ = cli(*quick, "--max-size", "1MB", "--max-latency", "10s")
    assert code == 0
    assert "ship:  " in out


@pytest.mark.slow
def test_bench_of_a_good_and_a_bad_file_shows_the_good_one(cli, exported_once, here):
    (here / "bad.onnx").write_bytes(b"bad")
    code, out, err = cli(
        "bench", "bad.onnx", exported_once / "cnn-int8.tflite", "--seconds", "0.05", "--processes", "1", "--json"
    )
    assert code == 1
    assert "warning: bad.onnx was not measured: ONNX Runtime cannot load it" in err
    document = json.loads(out)
    assert len(document["results"]) == 1
    assert list(document["failures"]) == ["bad.onnx"]
