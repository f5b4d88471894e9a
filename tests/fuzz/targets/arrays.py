"""Arrays in zip files: goldens, rows of parity records, samples of benchmarks, states of runs."""

from tests.fuzz import changes, made
from tests.fuzz.target import Target, files
from toolkit import golden
from toolkit.bench import record as benchmark
from toolkit.parity import record as parity
from toolkit.study import study
from toolkit.training import checkpoint

TARGETS = {
    "golden": Target(
        900, files(made.artifacts, "golden.npz"), lambda folder: golden.read(folder / "golden.npz"), changes.as_zip
    ),
    "rows of a parity record": Target(
        500,
        files(made.artifacts, "parity.npz"),
        lambda folder: parity.recompute(folder / "parity.json"),
        changes.as_zip,
        made.mend,
    ),
    "samples": Target(
        500, files(made.benchmark, "s.npz"), lambda folder: benchmark.read(folder).to_json(), changes.as_zip
    ),
    "state": Target(
        400, files(made.run, "state.npz"), lambda folder: checkpoint.load_progress(folder / "state.npz"), changes.as_zip
    ),
    "state in a study": Target(200, files(made.study, "state.npz"), lambda folder: study.read(folder), changes.as_zip),
}
