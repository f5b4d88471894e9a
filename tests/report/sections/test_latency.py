"""The latencies of a benchmark."""

from dataclasses import replace

from tests.report.sections.made import subject, text
from toolkit.report.sections import latency

NOTES = (("of two",), ("of two",), ())


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


def test_what_must_be_known_of_results_is_told_behind_their_names(shipped, benchmark, tmp_path):
    record = benchmark(tmp_path / "one")
    record.results[:] = [
        replace(one, notes=("of all", *extra)) for one, extra in zip(record.results, NOTES, strict=True)
    ]
    shown = latency.show(subject(shipped, record))
    assert "<li>all: of all</li>" in shown.body
    assert "<li>mlp-int8.tflite, mlp-float32.tflite: of two</li>" in shown.body
