"""Arrays in zip files: goldens, rows of parity records, samples of benchmarks, states of runs."""

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import golden
from toolkit.bench import record as benchmark
from toolkit.parity import record as parity
from toolkit.study import study
from toolkit.training import checkpoint


def _golden(folder):
    made.artifacts(folder)
    return [folder / "golden.npz"]


def _rows(folder):
    made.artifacts(folder)
    return [folder / "parity.npz"]


def _samples(folder):
    made.benchmark(folder)
    return [folder / "s.npz"]


def _state(folder):
    made.run(folder)
    return [folder / "state.npz"]


def _trial(folder):
    made.study(folder)
    return list(folder.rglob("state.npz"))


TARGETS = {
    "golden": Target(900, _golden, lambda folder: golden.read(folder / "golden.npz"), changes.as_zip),
    "rows of a parity record": Target(
        500, _rows, lambda folder: parity.recompute(folder / "parity.json"), changes.as_zip, made.mend
    ),
    "samples": Target(500, _samples, lambda folder: benchmark.read(folder).to_json(), changes.as_zip),
    "state": Target(400, _state, lambda folder: checkpoint.load_progress(folder / "state.npz"), changes.as_zip),
    "state in a study": Target(200, _trial, lambda folder: study.read(folder), changes.as_zip),
}
