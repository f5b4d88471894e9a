"""The latencies of a benchmark."""

from dataclasses import replace

from tests.report.sections.made import subject, text
from toolkit.report.sections import latency


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
