"""``toolkit record check`` and ``toolkit record plot``."""

import json
import re

import pytest

from tests.bench import made_up

MISTAKES = [
    (("record",), "Missing command; see: toolkit record --help"),
    (("record", "mend", "x"), "No such command 'mend'; see: toolkit record --help"),
    (("record", "check", "none"), "none: no such file or folder; 'toolkit bench' writes record.json, "),
    (
        ("record", "check", "EMPTY"),
        "EMPTY: no record there; 'toolkit bench' writes record.json, 'toolkit verify --save'",
    ),
    (("record", "check", "CUT.npz"), "CUT.npz: cannot be read as a record"),
    (("record", "plot", "EMPTY", "plot.png"), "record.json: no such file; 'toolkit bench' writes record.json"),
    (("record", "plot", "EMPTY", "plot.pdf"), "plot.pdf: a picture must end in .png or .svg"),
    (("record", "plot", "CUT.npz", "plot.png"), "CUT.npz: not the record of a benchmark; that is called record.json"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_the_record_of_a_verification_is_rebuilt_from_its_images(cli, exported, tiny_npz):
    code, out, _ = cli("verify", exported, "--data", tiny_npz, "--margin", "5", "--save")
    assert code == 0
    record = exported / "parity.json"
    assert f"record: {record}" in out
    code, out, _ = cli("record", "check", record)
    assert code == 0
    assert "figures of 6 artifacts rebuilt from 90 test rows\n0 differences; verdict: pass" in out
    record.write_text(record.read_text().replace('"lost": 0', '"lost": 3', 1))
    code, out, _ = cli("record", "check", record)
    assert code == 1
    assert "lost is 3, its rows say 0" in out
    code, out, _ = cli("record", "check", record, "--json")
    document = json.loads(out)
    assert (code, document["command"], document["kind"], document["verdict"]) == (1, "record check", "parity", "fail")


@pytest.fixture
def benchmark(here):
    """The folder of a benchmark's record, made up."""
    return made_up.saved(here / "benchmarks" / "1", 20e-6, 30e-6)


@pytest.mark.parametrize("given", ["", "record.json"])
def test_the_record_of_a_benchmark_is_rebuilt_from_its_latencies(cli, benchmark, given):
    code, out, _ = cli("record", "check", benchmark / given, "--json")
    document = json.loads(out)
    assert (code, document["kind"], document["artifacts"], document["differences"]) == (0, "benchmark", 2, [])
    path = benchmark / "record.json"
    path.write_text(re.sub(r'"median_s": [\d.e-]+', '"median_s": 1.0', path.read_text(), count=1))
    code, out, _ = cli("record", "check", benchmark / given)
    assert code == 1
    assert "exported/cnn/0.tflite: median_s is 1.0, its samples say " in out
    assert "2 artifacts rebuilt from" in out
    assert "latencies\n1 difference; verdict: fail" in out


def test_a_copy_of_a_benchmark_s_document_has_no_samples_beside_it(mistake, benchmark):
    (benchmark / "copy.json").write_bytes((benchmark / "record.json").read_bytes())
    mistake(
        "record", "check", str(benchmark / "copy.json"), says="copy.json: not the record of a benchmark; that is called"
    )


def test_a_benchmark_is_drawn(cli, benchmark, here):
    code, out, _ = cli("record", "plot", benchmark, "bench.png")
    assert (code, out.startswith("picture: bench.png, latencies alone: no accuracy is known")) == (0, True)
    assert (here / "bench.png").read_bytes()[:4] == b"\x89PNG"
    code, out, _ = cli("record", "plot", benchmark / "record.json", "bench.svg", "--json")
    document = json.loads(out)
    assert (code, document["command"], document["picture"]) == (0, "record plot", "bench.svg")
    assert (here / "bench.svg").is_file()
