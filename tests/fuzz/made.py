"""Good files to damage: small, and made up where the project ships none."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tests.bench import made_up
from toolkit import golden
from toolkit.bench.advice import Requirements
from toolkit.bench.explanation import Explanation
from toolkit.bench.instructions import Instructions
from toolkit.bench.pairs import Pairs
from toolkit.bench.profile import Profile
from toolkit.bench.roofline import Roofline
from toolkit.bench.tuned import TriedSetting, Tuned
from toolkit.files import documents, sha256, write_json
from toolkit.parity import record as parity
from toolkit.runtimes.base.graph import INT8, Operator
from toolkit.study import trials
from toolkit.study.grid import Grid
from toolkit.training.checkpoint import Epoch, TrainingProgress
from toolkit.training.recipe import Recipe

SHIPPED = Path(__file__).parents[2] / "exported" / "mlp"
ARTIFACTS = ("mlp-int8.tflite", "mlp-int8.onnx")
IMAGES = 12
METRICS = {"epochs_run": 3, "best_epoch": 3, "monitor": "val_loss", "best_value": 0.2, "test_accuracy": 0.9}
DATA = {"name": "mnist", "origin": "here", "digests": {"train_images": "0", "test_images": "1"}}
RECIPE = Recipe(model="mlp", epochs=3).to_json()


def artifacts(folder):
    """Make a folder of two shipped artifacts with a short golden, and their parity record."""
    for name in (*ARTIFACTS, "golden.npz", "novelty.npz", "manifest.json", "parity.json", "README.md"):
        shutil.copyfile(SHIPPED / name, folder / name)
    whole = golden.read(folder / "golden.npz")
    recorded = {name: whole.recorded[name][:IMAGES] for name in ARTIFACTS}
    parts = (whole.images[:IMAGES], whole.labels[:IMAGES], whole.reference[:IMAGES], recorded)
    golden.Golden(*parts).write(folder / "golden.npz")
    document = json.loads((folder / "manifest.json").read_text())
    document["artifacts"] = [entry for entry in document["artifacts"] if entry["path"] in ARTIFACTS]
    document["calibration"]["row_sha256_16"] = document["calibration"]["row_sha256_16"][:5]
    write_json(folder / "manifest.json", document)
    with np.load(SHIPPED / "parity.npz") as rows:
        kept = {name: rows[name][:50] for name in rows if name == "reference" or name.endswith(ARTIFACTS)}
    np.savez_compressed(folder / "parity.npz", **kept)
    document = json.loads((folder / "parity.json").read_text())
    document["results"] = [entry for entry in document["results"] if entry["artifact"] in ARTIFACTS]
    write_json(folder / "parity.json", document)
    mend(folder)


def mend(folder):
    """Make every digest right that a document of the folder names, as who damages it on purpose would."""
    path = folder / "manifest.json"
    if document := _document(path):
        for entry in (document.get("golden"), *_entries(document, "artifacts")):
            _set_digest(folder, entry)
        _write(path, document)
    path = folder / "parity.json"
    if document := _document(path):
        _set_digest(folder, document.get("rows"))
        document["sha256"] = parity._digest({key: value for key, value in document.items() if key != "sha256"})
        _write(path, document)


def _document(path):
    """Return a document that can be mended: none that is damaged beyond that, or holds a lone surrogate."""
    try:
        document = json.loads(path.read_bytes())
        json.dumps(document, ensure_ascii=False).encode()
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _entries(document, name):
    entries = document.get(name)
    return entries if isinstance(entries, list) else []


def _set_digest(folder, entry):
    name = entry.get("path") if isinstance(entry, dict) else None
    if isinstance(name, str) and name.isprintable() and "/" not in name and (folder / name).is_file():
        entry["sha256"] = sha256(folder / name)


def _write(path, document):
    path.write_text(json.dumps(document, indent=2) + "\n")


def benchmark(folder, path="a.tflite"):
    """Save a record of a benchmark with one result of an artifact, with all that may be known of one."""
    found = made_up.record()
    times = np.array([(2e-4, 1e-4), (2.1e-4, 1e-4), (2e-4, 1.1e-4)])
    found.folder, found.results = folder, [made_up.result(1e-4, path=path, pairs=Pairs.from_processes([times, times]))]
    found.budgets, found.rate = Requirements(max_latency_s=1.0, max_size_bytes=1e6, min_accuracy=0.5), 30.0
    operators = (Operator("CONV_2D", "XNNPACK", 1000, INT8, 100), Operator("QUANTIZE", "built-in"))
    roof = Roofline(1e11, ((1 << 18, 4e10), (1 << 20, 2e10)))
    found.why = {"s.npz": Explanation(Profile(operators, (1e-6, 3e-6, 1e-4), None), roof, "its kernels are slow")}
    counted = Instructions("litert", 123_456, "qemu-user 8.2", "Cortex-A72", None, {"ai-edge-litert": "2.3.0"})
    tried = Tuned((TriedSetting("XNNPACK off", "flags=0", (0.1, 0.12)),), {"XNNPACK in float16": "not in this version"})
    found.instructions, found.tuned = {Path(path): counted}, {Path(path): tried}
    found.results[0].write_samples(folder)
    found.save()


def run(folder):
    """Make the files of a run that the readers of runs read, without its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", {"recipe": RECIPE, "data": DATA, "started": "2026"})
    epochs = [Epoch(number, 0.5 / number, 0.9, 0.6 / number, 0.89, 1.0) for number in (1, 2, 3)]
    progress = TrainingProgress(epochs, [{"dense": 0.1, "epoch": 0}], 3, 0.2)
    text = np.frombuffer(json.dumps(documents.to_tree(progress)).encode(), np.uint8)
    np.savez(folder / "state.npz", progress=text, model_0=np.zeros((3, 2), np.float32))


def study(folder):
    """Make a study of one run, which is finished."""
    rows = {"training_rows": 8, "validation_rows": 1, "test_rows": 1}
    data = {**DATA, "classes": 10, "overlap": [], **rows}
    grid = Grid(
        model=("mlp",), optimizer=("adam",), activation=("relu",), learning_rate=(0.1,), loss=("mse",), epochs=(3,)
    )
    (trial,) = trials.grid_trials(grid, data["digests"], folder)
    run(trial.folder)
    write_json(
        folder / "study.json", {"grid": asdict(grid), "data": data, "host": {"cpu": "one", "cores": 2}, "jobs": [1]}
    )
    write_json(trial.folder / "metrics.json", METRICS)


ROWS = {"training_rows": 8, "validation_rows": 1, "test_rows": 1}
COSTS = {"size_bytes": 4000, "macs": 9000, "memory_bytes": 500, "parameters": 100}


def search(folder):
    """Make a search of one candidate, which is its front, and whose test set was opened."""
    data = {**DATA, "classes": 10, "overlap": [], **ROWS}
    asked = {"budgets": {"max_size_bytes": 9000.0, "max_macs": None, "max_memory_bytes": None, "min_accuracy": 0.5}}
    write_json(
        folder / "search.json",
        {
            "asked": {**asked, "epochs": 3, "seed": 0, "augment": None, "final_epochs": 9, "finalists": 1},
            "data": data,
            "host": {"cpu": "one", "cores": 2},
            "jobs": [1],
            "spent_s": 9.5,
        },
    )
    shape = {"width": 2, "depth": 2, "kernel": 3, "conv": "plain", "reduce": "pool"}
    choice = {**shape, "learning_rate": 0.01}
    rejected = [{"choice": {**choice, "width": 9}, "costs": {**COSTS, "size_bytes": 9500}}]
    write_json(folder / "trial-001" / "candidate.json", {"choice": choice, "costs": COSTS, "rejected": rejected})
    write_json(folder / "finalists.json", {"candidates": ["trial-001"]})
    _proven(folder, "trial-001")


def compression(folder):
    """Make a compression of one candidate, which is chosen, and whose test set was opened."""
    budgets = {"max_size_bytes": 9000.0, "max_macs": None, "max_memory_bytes": None, "min_accuracy": 0.5}
    training = {"batch_size": 64, "validation_split": 0.2, "seed": 0, "augment": None, "balance": False}
    costs = {**COSTS, "size_bytes": 90_000}
    write_json(
        folder / "compress.json",
        {
            "asked": {"budgets": budgets, "epochs": 3, "teacher": "cnn.keras", **training},
            "original": {"name": "cnn", "sha256": "0", "costs": costs, "accuracy": 0.9, "input_range": "0..1"},
            "data": {**DATA, "classes": 10, "overlap": [], **ROWS},
        },
    )
    write_json(folder / "candidate-1" / "candidate.json", {"steps": 9, "costs": COSTS})
    _proven(folder, "candidate-1")


def _proven(folder, name):
    """Make what the training of a candidate leaves, and what the test set said of it."""
    run(folder / name)
    write_json(folder / name / "metrics.json", {**METRICS, "test_accuracy": None})
    paired = {"lost": 1, "gained": 0}
    member = {"name": name, "artifact": "a.tflite", "size_bytes": 4000, "right": 8, "own": paired}
    proof = {"n": 10, "min_accuracy": 0.5, "rival": "cnn.keras", "rival_right": 9, "must_match": True}
    write_json(folder / "front.json", {"schema": 1, "members": [name]})
    write_json(folder / "proof.json", {**proof, "members": [{**member, "verdict": "pass", "rival": paired}]})


def pixels(*shape, seed=0):
    """Return random pixels, uint8."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def labels(count):
    """Return labels of three classes, uint8."""
    return np.arange(count, dtype=np.uint8) % 3
