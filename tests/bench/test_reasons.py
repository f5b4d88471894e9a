"""Made-up evidence with a known answer."""

import pytest

from toolkit.bench.profile import Profile
from toolkit.bench.reasons import Evidence, why
from toolkit.runtimes.base.graph import FLOAT32, INT8, Operator


def profile_of(*operators, call=1.0):
    """Build a profile from (name, kernels, macs, arithmetic, µs)."""
    times = [call]
    for *_, micros in operators:
        times.append(times[-1] + micros)
    made = tuple(Operator(*described) for *described, _ in operators)
    return Profile(made, tuple(time * 1e-6 for time in times), None)


def conv(micros, kernels="XNNPACK", arithmetic=INT8):
    return "CONV_2D", kernels, 1_000_000, arithmetic, micros


def converting(micros):
    return "QUANTIZE", "XNNPACK", 0, None, micros


FLOAT = profile_of(conv(100, arithmetic=FLOAT32))


def reason(candidate, baseline=FLOAT, *, fewer=None, arch="x86_64", multiplies_bytes=True):
    return why(Evidence(candidate, baseline, 2, fewer, arch, multiplies_bytes))


def test_kernels_that_are_not_made_for_speed_are_named():
    said = reason(profile_of(conv(9_999, "built-in")))
    assert said.startswith("XNNPACK has no kernel for CONV_2D of these types: the built-in ones run, 100 % of its time")


def test_slow_kernels_that_hardly_cost_are_not_blamed():
    other = ("FULLY_CONNECTED", "built-in", 10, INT8, 1)
    assert "has no kernel" not in reason(profile_of(conv(150), other))


def test_conversions_that_take_the_time_are_named():
    said = reason(profile_of(converting(60), conv(59)))
    assert said.startswith("quantizing and dequantizing takes 50 % of its time, more than integers save; ")
    assert said.endswith("; beside float32: arithmetic −41.0 µs, quantize and dequantize +60.0 µs")


@pytest.mark.parametrize(("arch", "missing"), [("x86_64", "no VNNI instr"), ("aarch64", "no dot-product")])
def test_a_cpu_without_the_instructions_is_named(arch, missing):
    assert missing in reason(profile_of(conv(120)), arch=arch, multiplies_bytes=False)
    assert missing not in reason(profile_of(conv(120)), arch=arch)
    assert missing not in reason(profile_of(conv(120)), arch=arch, multiplies_bytes=None)  # nobody knows


def test_slow_integer_kernels_are_named():
    said = reason(profile_of(conv(10), ("QGemm", "optimized", 1_000, INT8, 120)))
    assert said.startswith(
        "its integer kernels are slower than the float32 ones at these shapes, QGemm above all (120 µs)"
    )


def test_threads_that_cost_more_than_they_save_are_named():
    assert reason(profile_of(conv(120)), fewer=1).startswith("2 threads cost more than they save: with 1 it is faster")


def test_an_inference_of_fixed_costs_is_called_too_small():
    """The call and the product of next to nothing cost as much as what they compute."""
    small = [("QGemm", "optimized", 100_000, INT8, 9), ("QGemm", "optimized", 1_000, INT8, 3)]
    floats = [("Gemm", "optimized", 100_000, FLOAT32, 8), ("Gemm", "optimized", 1_000, FLOAT32, 1.5)]
    said = reason(profile_of(converting(2), *small, call=6), profile_of(*floats, call=6))
    assert said.startswith("it is too small to gain: 14.0 µs of its 20.0 µs are what calls, conversions and operators")
    assert ", 9.00 µs in float32; " in said


def test_what_is_faster_when_timed_again_was_disturbed():
    assert "timed again it is faster, 51.0 µs against 101 µs" in reason(profile_of(conv(50)))


def test_no_cause_is_said_where_none_is_found():
    assert reason(profile_of(conv(100), ("POOL", "XNNPACK", 0, None, 9))).startswith("no cause was found; ")
    assert reason(Profile(FLOAT.operators, None, "too long")) == "no cause was found (operators were not timed)"


def test_the_missing_instructions_and_the_cpus_that_have_them_are_told_beside_another_cause():
    said = reason(profile_of(converting(60), conv(59)), multiplies_bytes=False)
    assert said.startswith(
        "quantizing and dequantizing takes 50 % of its time, more than integers save; this CPU has no VNNI"
    )
    assert (
        "int8 may be faster on a CPU that has them (Intel since Cascade Lake and Ice Lake, AMD since Zen 4); " in said
    )
    floats = profile_of(converting(60), conv(59, arithmetic=FLOAT32))
    assert "VNNI" not in reason(floats, multiplies_bytes=False)
