"""JSON documents: manifests, records, runs, studies, and what a device says."""

from pathlib import Path

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import manifest
from toolkit.bench import record as benchmark
from toolkit.parity import card
from toolkit.parity import record as parity
from toolkit.study import study
from toolkit.training import runs


def _of_artifacts(name):
    def prepare(folder: Path):
        made.artifacts(folder)
        return [folder / name]

    return prepare


def _benchmark(folder):
    made.benchmark(folder)
    return [folder / "record.json"]


def _run(folder):
    made.run(folder)
    return [folder / "config.json"]


def _study(folder):
    made.study(folder)
    return [folder / "study.json"]


def _read_run(folder):
    runs.recipe_of(runs.read_config(folder), folder)


TARGETS = {
    "manifest": Target(
        900, _of_artifacts("manifest.json"), lambda folder: card.render(manifest.read(folder)), changes.as_json
    ),
    "parity record": Target(
        700,
        _of_artifacts("parity.json"),
        lambda folder: parity.recompute(folder / "parity.json"),
        changes.as_json,
        made.mend,
    ),
    "benchmark record": Target(800, _benchmark, lambda folder: benchmark.read(folder).to_json(), changes.as_json),
    "run": Target(400, _run, _read_run, changes.as_json),
    "study": Target(400, _study, lambda folder: study.read(folder), changes.as_json),
}
