"""Arrays in zip files: goldens, rows of parity records, samples of benchmarks, states of runs, scores of novelty."""

from dataclasses import replace

import numpy as np

from tests.fuzz import changes, made
from tests.fuzz.target import Target, files
from toolkit import golden, manifest, novelty
from toolkit.bench import record as benchmark
from toolkit.entries import NoveltyFile
from toolkit.files import FileName, sha256
from toolkit.parity import record as parity
from toolkit.study import study
from toolkit.training import checkpoint

IMAGES = made.pixels(made.IMAGES, 6, 6, 1)
PROBABILITIES = np.eye(3, dtype=np.float32)[made.labels(made.IMAGES)]


def _novelty(folder):
    made.artifacts(folder)
    novelty.fit(IMAGES, made.labels(made.IMAGES).astype(np.int64), classes=3).write(folder / novelty.NOVELTY)
    return [folder / novelty.NOVELTY]


def _judge(folder):
    """Judge images by the score, whose digest is that of the manifest."""
    rule = NoveltyFile(FileName(novelty.NOVELTY), sha256(folder / novelty.NOVELTY), 1.0, 0.01, made.IMAGES, "training")
    found = replace(manifest.read(folder), novelty=rule)
    novelty.Judge(found).judge(IMAGES, PROBABILITIES)


TARGETS = {
    "novelty": Target(300, _novelty, _judge, changes.as_zip),
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
