"""Records may be passed on: they say nothing of the folders in which their maker keeps artifacts and records."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from tests.bench import made_up
from toolkit import api
from toolkit.bench import passing_on, record, resume
from toolkit.bench.advice import Requirements


def test_what_lies_elsewhere_is_called_by_its_name_and_that_of_its_export(shipped, here, tmp_path):
    near, listed, loose, other = (
        Path("models/a.tflite"),
        shipped / "mlp-int8.onnx",
        tmp_path / "a.tflite",
        Path("../x/a.tflite"),
    )
    names = passing_on.names([near, here / near, listed, loose, other, tmp_path / "b.tflite"])
    assert [str(name) for name in names.values()] == [
        "models/a.tflite",
        "models-2/a.tflite",  # another spelling is another folder, as for what is recommended
        "mlp/mlp-int8.onnx",
        "a.tflite",
        "folder-2/a.tflite",
        "b.tflite",
    ]
    assert passing_on.path_of_failure(f"{loose} (2 threads, batch 1)") == loose


def benchmark(folder, tmp_path) -> record.Record:
    """A record of two files elsewhere, and of one that crashed."""
    made = replace(made_up.record(), folder=folder, budgets=Requirements(max_latency_s=1.0))
    made.results = [
        made_up.result(median_s, path=tmp_path / "alice" / name / "a.tflite", samples=f"{name}.npz", seed=seed)
        for seed, (name, median_s) in enumerate((("one", 1e-4), ("two", 2e-4)))
    ]
    crashed = tmp_path / "alice" / "c.onnx"
    made.failures = {f"{crashed} (1 threads, batch 1)": f"{crashed}: onnxruntime was ended by SIGSEGV"}
    for result in made.results:
        result.write_samples(folder)
    made.save()
    return made


def test_a_record_names_no_folder_and_is_what_its_samples_say(tmp_path, here):
    made = benchmark(tmp_path / "alice" / "records" / "first", tmp_path)
    text = (made.folder / "record.json").read_text()
    assert str(tmp_path) not in text
    assert "alice" not in text
    document = json.loads(text)
    assert [one["artifact"] for one in document["results"]] == ["a.tflite", "folder-2/a.tflite"]
    assert document["failures"] == {
        "folder-3/c.onnx (1 threads, batch 1)": "folder-3/c.onnx: onnxruntime was ended by SIGSEGV"
    }
    assert (document["record"], len(document["recommendations"])) == ("first", 2)
    assert record.recompute(made.folder).differences == ()
    assert record.read(made.folder).folder == made.folder
    assert str(made.results[0].path) in json.dumps(made.to_json())  # what is printed here opens here


def test_a_benchmark_goes_on_though_its_record_has_other_names(tmp_path, here):
    made = benchmark(tmp_path / "alice" / "first", tmp_path)
    joined = resume.join(record.read(made.folder), made)
    assert resume.rounds(joined) == 2 * made_up.PROCESSES


def test_a_page_names_no_folder_elsewhere(shipped, here, tmp_path):
    folder = tmp_path / "alice" / "mlp"
    folder.parent.mkdir()
    shutil.move(shipped, folder)
    (folder / "mlp-int8.onnx").unlink()
    (folder / "parity.json").write_text("{}")
    (page,) = api.report(folder, output=tmp_path / "page.html")
    text = page.path.read_text(encoding="utf-8")
    assert "toolkit verify mlp --golden" in text
    assert "mlp/parity.json: not a parity record" in text
    assert "alice" not in text
