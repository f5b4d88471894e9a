"""What the record of a benchmark says of counted instructions, and how the tables show it."""

from pathlib import Path

import pytest

from tests.bench import made_up
from toolkit.bench import record
from toolkit.bench.candidates import Candidate
from toolkit.bench.instructions import Instructions, counted
from toolkit.cli.bench import tables
from toolkit.console import Console
from toolkit.errors import ArtifactError, UsageError

COUNTS = {"float32": 1_000_000, "int8": 456_000}


CANDIDATES = [
    Candidate(Path(name), "litert", None) for name in ("float32.tflite", "int8.tflite", "m.keras", "failed.onnx")
]


def counting(candidate: Candidate) -> Instructions:
    """Count by the name; a file of Keras cannot be."""
    path = candidate.path
    if path.suffix == ".keras":
        raise ArtifactError(f"{path}: its instructions are not counted")
    return Instructions("litert", COUNTS[path.stem], "qemu-x86_64 7.2", "Haswell", None, {"ai-edge-litert": "2"})


@pytest.fixture
def benchmark(tmp_path, monkeypatch) -> record.Record:
    """A record of two artifacts of one export, the second also with two threads, and of a Keras file."""
    monkeypatch.setattr(counted, "count_of", counting)
    made = made_up.record()
    made.folder = tmp_path
    rows = [("float32.tflite", 1), ("int8.tflite", 1), ("int8.tflite", 2), ("m.keras", 1)]
    for number, (name, threads) in enumerate(rows):
        facts = {"quantization": Path(name).stem, "format": "tflite"} if name.endswith("tflite") else {}
        result = made_up.result(1e-4, path=name, threads=threads, samples=f"{number}.npz", seed=number, **facts)
        result.write_samples(tmp_path)
        made.results.append(result)
    return made


def test_each_artifact_is_counted_once_and_read_again_from_the_record(benchmark):
    warnings, steps = [], []
    counted.add(benchmark, CANDIDATES, warn=warnings.append, on_step=steps.append)
    assert [step.text.split()[-1] for step in steps] == ["float32.tflite", "int8.tflite", "m.keras"]
    assert warnings == ["m.keras: its instructions are not counted"]
    told = [one["instructions"] for one in benchmark.to_json()["results"]]
    assert [one and one["count"] for one in told] == [1_000_000, 456_000, 456_000, None]
    assert (told[0]["counter"], told[0]["cpu"]) == ("qemu-x86_64 7.2", "Haswell")
    assert record.read(benchmark.folder).instructions == benchmark.instructions


def test_the_table_shows_each_beside_its_float32_original(benchmark, capsys):
    counted.add(benchmark, CANDIDATES, warn=lambda text: None)
    tables.report(Console(), benchmark)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "float32.tflite litert 1,000,000 – qemu-x86_64 7.2 on Haswell" in lines
    assert "int8.tflite litert 456,000 0.456× qemu-x86_64 7.2 on Haswell" in lines


def test_ctrl_c_keeps_what_was_counted(benchmark, monkeypatch):
    def interrupted(candidate):
        if candidate.path.stem == "int8":
            raise KeyboardInterrupt
        return counting(candidate)

    monkeypatch.setattr(counted, "count_of", interrupted)
    counted.add(benchmark, CANDIDATES, warn=pytest.fail)
    assert benchmark.interrupted
    assert [path.name for path in record.read(benchmark.folder).instructions] == ["float32.tflite"]


def test_where_counting_stops_the_record_is_kept_and_it_is_said_once(benchmark, monkeypatch):
    def stopped(candidate):
        if candidate.path.stem == "float32":
            return counting(candidate)
        raise UsageError("the emulator counts nothing")

    monkeypatch.setattr(counted, "count_of", stopped)
    warnings = []
    counted.add(benchmark, CANDIDATES, warn=warnings.append)
    assert warnings == ["the emulator counts nothing"]
    assert not benchmark.interrupted
    assert [path.name for path in record.read(benchmark.folder).instructions] == ["float32.tflite"]


def test_without_counting_the_record_has_none_and_no_table(benchmark, capsys):
    benchmark.save()
    assert {one["instructions"] for one in benchmark.to_json()["results"]} == {None}
    tables.report(Console(), record.read(benchmark.folder))
    assert "Instructions" not in capsys.readouterr().out
