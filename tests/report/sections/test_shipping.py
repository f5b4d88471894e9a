"""What to ship."""

from dataclasses import replace

from tests.report.sections.made import subject, text
from toolkit.report.sections import shipping


def test_what_to_ship_is_what_the_benchmark_recommends(shipped, benchmark, tmp_path):
    record = benchmark(tmp_path / "one")
    said = text(shipping.show(subject(shipped, record)))
    assert said.startswith("Ship mlp-int8.tflite : the fastest of 3 measured here: 2.00 µs per inference")
    assert "6 ✓ pass" in said
    made = subject(shipped, record)
    one, *others = made.manifest.artifacts
    made = replace(made, manifest=replace(made.manifest, artifacts=(replace(one, verified=None), *others)))
    assert "Of all artifacts: 1 not verified , 5 ✓ pass" in text(shipping.show(made))
    record.results = [replace(one, parity="fail") for one in record.results]
    assert text(shipping.show(subject(shipped, record))).startswith("nothing to ship: all failed their verification")
