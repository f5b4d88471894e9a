"""JSON documents: manifests, records, runs, studies, and what a device says; texts: histories, names of classes."""

from pathlib import Path

from tests.fuzz import changes, made
from tests.fuzz.target import Target, files
from toolkit import labels, manifest, runs
from toolkit.bench import record as benchmark
from toolkit.compress import compression
from toolkit.parity import card
from toolkit.parity import record as parity
from toolkit.report.history import HISTORY, read_history
from toolkit.search import search
from toolkit.search.prove import front_of
from toolkit.study import study
from toolkit.training.folders import recipe_of


def _read_run(folder):
    recipe_of(runs.read_config(folder), folder)


def _history(folder):
    lines = [f"{epoch},{1 / epoch},{0.9},{1.1 / epoch},{0.8}" for epoch in range(1, 6)]
    (folder / HISTORY).write_text("\n".join(("epoch,loss,accuracy,val_loss,val_accuracy", *lines, "")))
    return [folder / HISTORY]


def _labels(folder):
    (folder / "labels.txt").write_text("".join(f"class {number}\n" for number in range(10)))
    return [folder / "labels.txt"]


def _read_search(folder):
    found = search.read(folder)
    for name in front_of(folder):
        found.named(name)
    found.to_json()


def _read_compression(folder):
    found = compression.read(folder)
    for one in found.candidates:
        assert folder.resolve() in Path(one.outcome.trial.recipe.model).resolve().parents
    for name in front_of(folder):
        found.named(name)
    found.to_json()


TARGETS = {
    "manifest": Target(
        900, files(made.artifacts, "manifest.json"), lambda folder: card.render(manifest.read(folder)), changes.as_json
    ),
    "parity record": Target(
        700,
        files(made.artifacts, "parity.json"),
        lambda folder: parity.recompute(folder / "parity.json"),
        changes.as_json,
        made.mend,
    ),
    "benchmark record": Target(
        800, files(made.benchmark, "record.json"), lambda folder: benchmark.read(folder).to_json(), changes.as_json
    ),
    "run": Target(400, files(made.run, "config.json"), _read_run, changes.as_json),
    "study": Target(400, files(made.study, "study.json"), lambda folder: study.read(folder), changes.as_json),
    "search": Target(
        300,
        files(made.search, "search.json", "candidate.json", "finalists.json", "front.json", "proof.json"),
        _read_search,
        changes.as_json,
    ),
    "compression": Target(
        300,
        files(made.compression, "compress.json", "candidate.json", "front.json", "proof.json"),
        _read_compression,
        changes.as_json,
    ),
    "history": Target(200, _history, read_history),
    "names of classes": Target(100, _labels, lambda folder: labels.read(folder / "labels.txt")),
}
