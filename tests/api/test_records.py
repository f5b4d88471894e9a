"""Records from Python: checked, compared, drawn."""

import pytest

from tests.bench import made_up
from toolkit import api
from toolkit.errors import ArtifactError, UsageError


@pytest.fixture
def benchmark(here):
    """The folder of a benchmark's record, made up."""
    return made_up.saved(here / "benchmarks" / "1", 20e-6, 30e-6)


def test_a_record_is_true_unless_a_figure_of_it_was_changed(benchmark):
    rebuilt = api.check_record(benchmark)
    assert rebuilt
    assert (rebuilt.kind, rebuilt.artifacts, rebuilt.verdict) == ("benchmark", 2, "pass")
    path = benchmark / "record.json"
    path.write_text(path.read_text().replace('"n": 1000', '"n": 1001', 1))
    assert not api.check_record(path)
    assert "n is 1001, its samples say 1000" in api.check_record(path).differences[0]


def test_what_is_no_record_is_an_error(here):
    for name, text in (("one.json", "{}"), ("two.json", "[]"), ("three.json", "{")):
        (here / name).write_text(text)
        with pytest.raises(ArtifactError, match=name):
            api.check_record(name)
    with pytest.raises(ArtifactError, match=r"one\.json: no record; 'toolkit bench' writes"):
        api.check_record("one.json")
    with pytest.raises(ArtifactError, match="no record there"):
        api.check_record(here)


def test_two_benchmark_records_are_compared(benchmark, here):
    compared = api.compare_records(benchmark, str(benchmark / "record.json"))
    assert compared
    assert [pair.verdict for pair in compared.pairs] == ["indistinguishable"] * 2
    slower = made_up.saved(here / "benchmarks" / "2", 20e-6, 40e-6)
    compared = api.compare_records(benchmark, slower, tolerance=0.2)
    assert not compared
    assert [pair.new.path.name for pair in compared.slower] == ["1.tflite"]
    with pytest.raises(UsageError, match="the tolerance, in percent, is -20; it must be from 0 to 100,000"):
        api.compare_records(benchmark, slower, tolerance=-0.2)


@pytest.mark.slow
def test_two_artifacts_are_compared_side_by_side(exported_once):
    reference, candidate = (exported_once / name for name in ("cnn-float32.tflite", "cnn-int8.tflite"))
    versus = api.compare(reference, str(candidate), seconds=0.01, processes=2, tolerance=100.0)
    assert versus
    assert len(versus.pairs.lengths) == 4
    assert versus.speedup.low < versus.speedup.value < versus.speedup.high


@pytest.mark.parametrize("name", ["exported", "record.json"])
def test_compare_says_that_records_have_a_command_of_their_own(exported_once, name):
    artifact = exported_once / "cnn-int8.tflite"
    for compare in (api.compare, api.compare_instructions):
        with pytest.raises(UsageError, match=f"^{name}: not an artifact; .*; .toolkit record compare. compares"):
            compare(artifact, name)


def test_a_record_is_drawn(benchmark, here):
    assert "no accuracy is known" in api.plot_record(benchmark, "bench.svg")
    assert (here / "bench.svg").is_file()
    with pytest.raises(UsageError, match="must end in"):
        api.plot_record(benchmark, "bench.gif")
