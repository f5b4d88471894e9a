"""``toolkit report`` as a user meets it."""

import json

import pytest

from tests.bench.made_up import saved
from tests.report.conftest import benchmark  # noqa: F401 — a fixture

MISTAKES = [
    (("report", "none"), "none: no manifest.json there"),
    (("report", "EMPTY"), "EMPTY: no manifest.json there or in its subfolders; 'toolkit export' writes one"),
    (("report", "EXPORT", "--record", "EMPTY"), "EMPTY/record.json: no such file; 'toolkit bench' writes record.json"),
    (("report", "EXPORT", "--data", "none"), "no data source and no path is called 'none'"),
    (("report", "EXPORT/mlp-int8.onnx"), "mlp-int8.onnx: a file; give the folder of an export"),
    (("report", "EXPORT/..", "--output", "page.html"), "holds 2 exports, and one page was asked for; give one of them"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(cli, here, shipped, arguments, message):
    (here / "EMPTY").mkdir()
    (shipped.parent / "second").mkdir()
    (shipped.parent / "second" / "manifest.json").write_bytes((shipped / "manifest.json").read_bytes())
    code, out, err = cli(*(argument.replace("EXPORT", str(shipped)) for argument in arguments))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["EMPTY"]


def test_a_report_is_written_and_what_it_lacks_is_said(cli, here, shipped, no_mnist):
    code, out, err = cli("report", shipped)
    assert (code, out) == (0, "report: report-mlp.html\n")
    without = "'What to ship', 'How fast is it?' and 'Accuracy, latency and size'"
    why = f"no benchmark of these files was given or found; 'toolkit bench {shipped}' makes one\n"
    assert f"report-mlp.html lacks {without}: {why}" in err
    assert "the test images are not on this machine; 'toolkit data mnist --fetch' gets them\n" in err
    assert (here / "report-mlp.html").read_text().startswith("<!DOCTYPE html>")


def test_a_record_of_other_files_is_refused_where_it_was_asked_for(cli, here, shipped):
    saved(here / "other", 1e-3)
    code, out, err = cli("report", shipped, "--record", "other")
    assert (code, out) == (2, "")
    assert err == f"error: other: a benchmark of other files than those of {shipped}\n"
    assert [path.name for path in here.iterdir()] == ["other"]


def test_a_report_with_a_benchmark_says_what_to_ship(cli, here, shipped, benchmark, no_mnist):  # noqa: F811
    benchmark(here / "benchmarks" / "20260101-000000")
    code, out, _ = cli("report", shipped, "--output", "page.html", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["command"] == "report"
    (written,) = document["reports"]
    assert (written["report"], written["pdf"]) == ("page.html", None)
    assert set(written["absent"]) == {"Changes of class", "Training"}
    assert "Ship <code>mlp-int8.tflite</code>" in (here / "page.html").read_text()
