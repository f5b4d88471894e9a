"""What ``toolkit bench`` prints of the reasons, from a made-up record."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bench import made_up
from toolkit import host
from toolkit.bench.explanation import Explanation
from toolkit.bench.profile import Profile
from toolkit.bench.roofline import Roofline
from toolkit.cli import run
from toolkit.cli.bench import why
from toolkit.console import Console
from toolkit.interval import Interval
from toolkit.remote.fleet import DeviceOutcome
from toolkit.runtimes.base.graph import INT8, Operator

OPERATORS = (Operator("QUANTIZE", "XNNPACK"), Operator("CONV_2D", "XNNPACK", 4_000_000, INT8, 1_000_000))
ROOF = Roofline(100e9, ((1_000_000, 20e9),))


def record_of(explanation, *, emulated=False):
    """A record of one result of 100 µs, as far as it is printed."""
    path = Path("exported/net/net-int8.tflite")
    median = Interval(1e-4, 1e-4, 1e-4)
    result = SimpleNamespace(path=path, samples="0.npz", runtime="litert", threads=1, batch=1, median=median)
    facts = replace(host.describe(), emulated=emulated)
    return SimpleNamespace(results=[result], why={"0.npz": explanation}, host=facts)


def printed(capsys, record, *, everything):
    why.report(Console(), record, everything=everything)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_by_default_there_is_one_line_for_each_reason(capsys):
    found = Explanation(Profile(OPERATORS, (1e-6, 3e-6, 1e-4), None), None, "its kernels are slow")
    assert printed(capsys, record_of(found), everything=False) == [
        "why net-int8.tflite (litert) is not faster than float32: its kernels are slow"
    ]
    assert printed(capsys, record_of(replace(found, reason=None)), everything=False) == []


def test_operators_and_the_share_of_the_roof_are_shown_on_request(capsys):
    found = Explanation(Profile(OPERATORS, (1e-6, 3e-6, 1e-4), None), ROOF, None)
    lines = printed(capsys, record_of(found), everything=True)
    assert "net-int8.tflite litert 1 1 4,000,000 1.00 MB int8 40.0 G/s 80.0 G/s 50 % memory" in lines
    assert "(the call itself) 1.00 µs 1 %" in lines
    assert "QUANTIZE XNNPACK 0 0 B 2.00 µs 2 %" in lines
    assert "CONV_2D XNNPACK 4,000,000 1.00 MB 97.0 µs 97 %" in lines
    assert lines[-1] == why.HOW_TIMED


def test_the_road_and_a_device_say_so_too(cli, capfd, monkeypatch):
    made = made_up.record()
    made.results = [made_up.result(1e-4, path="net/net-int8.tflite")]
    made.why["s.npz"] = Explanation(Profile(OPERATORS, None, None), None, "its kernels are slow")
    said = "why net-int8.tflite (litert) is not faster than float32: its kernels are slow"
    monkeypatch.setattr("toolkit.api.bench", lambda *_, **__: made)
    run._bench(Console(), None, Path("benchmarks"), seconds=1.0)
    assert said in capfd.readouterr().out.splitlines()
    monkeypatch.setattr("toolkit.api.bench_on", lambda *_, **__: [DeviceOutcome("pi", made, None)])
    assert said in cli("device", "bench", "--on", "pi")[1].splitlines()


@pytest.mark.parametrize("untimed", ["emulated: no times", "its prefixes would take longer than 20 s"])
def test_an_operator_that_was_not_timed_says_why(capsys, untimed):
    found = Explanation(Profile(OPERATORS, None, untimed), None, None)
    lines = printed(capsys, record_of(found, emulated=True), everything=True)
    assert "net-int8.tflite litert 1 1 4,000,000 1.00 MB int8 – – – –" in lines
    assert "CONV_2D XNNPACK 4,000,000 1.00 MB – –" in lines
    assert lines[-1] == untimed
