"""The images that validate: drawn by class, or brought by the data, and the same ones when a run is gone on with."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import RECIPE
from toolkit.data.base import make_dataset
from toolkit.errors import RunError
from toolkit.training.fit import train

pytestmark = pytest.mark.slow


def by_class(dataset):
    """The same data with their training rows sorted by class."""
    order = np.argsort(dataset.train.labels, kind="stable")
    rows = dataset.train.rows(order)
    arrays = (rows.images, rows.labels, dataset.test.images, dataset.test.labels)
    return make_dataset(arrays, name="sorted", origin="sorted.npz")


def test_rows_sorted_by_class_are_learned_as_well_as_others_and_resumed(tmp_path, tiny):
    said = []
    given = by_class(tiny)
    train(replace(RECIPE, epochs=2), given, tmp_path / "run", warn=said.append)
    trained = train(RECIPE, given, tmp_path / "run", resume=True)
    assert trained.test.accuracy > 0.9
    assert trained.progress.history[-1].val_accuracy > 0.9
    assert said == [
        "sorted.npz: the last training images do not hold every class; 48 of 240 were drawn by class to validate with"
    ]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["validation"] == {"rows": 48, "how": "drawn by class"}


def test_validation_images_of_the_data_validate_and_all_training_rows_are_learned_from(tmp_path, tiny):
    """Their labels are wrong on purpose: only they can have an accuracy near 0."""
    wrong = (tiny.test.images[:60], (tiny.test.labels[:60] + 1) % 3)
    arrays = (tiny.train.images, tiny.train.labels, tiny.test.images[60:], tiny.test.labels[60:])
    given = make_dataset(arrays, validation=wrong, name="given", origin="given.npz")
    trained = train(replace(RECIPE, monitor="accuracy"), given, tmp_path / "run")
    assert trained.progress.history[-1].val_accuracy < 0.1
    assert trained.test.accuracy > 0.9
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["validation"] == {"rows": 60, "how": "given by the data"}
    assert set(config["data"]["digests"]) == set(given.digests)


def test_a_run_is_not_gone_on_with_other_validation_rows(uninterrupted, tiny):
    folder = uninterrupted
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "validation": {"rows": 48, "how": "drawn by class"}}))
    with pytest.raises(RunError, match="another recipe or other data"):
        train(replace(RECIPE, epochs=5), tiny, folder, resume=True)
