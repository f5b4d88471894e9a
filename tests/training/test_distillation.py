"""A teacher: how it is found, what is refused, and that a run learns its answers, now and when it goes on."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from tests.training.made_up import RECIPE, assert_same, state
from toolkit import extras, models
from toolkit.data.base import make_dataset
from toolkit.data.base.parts import divide
from toolkit.errors import RunError, UsageError
from toolkit.runtimes.keras.loading import load_model
from toolkit.training import configuration, distillation, folders
from toolkit.training.augmentation import Augmentation
from toolkit.training.distillation import Teacher
from toolkit.training.fit import train
from toolkit.training.loop import Loop
from toolkit.training.objective import Objective

pytestmark = pytest.mark.slow


@pytest.fixture
def knowing(uninterrupted_once):
    """The path of an MLP that has learned the tiny data."""
    return uninterrupted_once / "best.keras"


def teacher(path, dataset):
    return Teacher(extras.load("tensorflow"), path, divide(dataset, share=0.2, seed=0))


def saved(path, *layers, shape=(8, 8, 1)):
    keras = extras.load("keras")
    keras.Sequential([keras.Input(shape), *layers]).save(path)
    return path


def test_a_teacher_is_a_run_by_name_or_folder_or_a_file(here, knowing):
    shutil.copytree(knowing.parent, here / "runs" / "known")
    for given in ("known", "runs/known", "runs/known/best.keras"):
        assert distillation.find(given).samefile(here / "runs" / "known" / "best.keras")
    with pytest.raises(
        UsageError, match=r"no run is called 'unknown'; known runs: known; a teacher is a run or a \.keras"
    ):
        distillation.find("unknown")
    with pytest.raises(UsageError, match=r"none\.keras: no such file"):
        distillation.find("none.keras")


def test_its_answers_are_those_of_the_model_in_the_places_of_the_rows(tiny, knowing):
    rows = np.array([3, 200, 1])
    found = teacher(knowing, tiny).answers(tiny.train, rows)
    expected = load_model(knowing).predict(tiny.train.images[rows] / np.float32(255), verbose=0)
    assert found.shape == (240, 3)
    np.testing.assert_allclose(found[rows], expected, rtol=1e-5)
    assert np.count_nonzero(found.sum(axis=1)) == 3


def test_the_accuracy_of_the_teacher_is_told(tiny, knowing):
    assert teacher(knowing, tiny).words == ("a teacher that is right on 100.00 % of 192 training images",)


def test_a_teacher_is_tried_on_rows_of_every_class_also_if_they_are_sorted(knowing):
    images, labels, *test = tiny_arrays(train=999)
    order = np.argsort(labels, kind="stable")
    sorted_by_class = make_dataset((images[order], labels[order], *test), name="sorted", origin="tests")
    assert teacher(knowing, sorted_by_class).words[0].startswith("a teacher that is right on ")


def test_a_teacher_that_does_not_fit_is_refused(tmp_path, tiny, knowing, exported_once):
    layers = extras.load("keras").layers

    def softmax(classes=3, initializer="glorot_uniform"):
        return layers.Flatten(), layers.Dense(classes, "softmax", kernel_initializer=initializer)

    refused = {
        saved(tmp_path / "other.keras", *softmax(4)): (
            r"other\.keras: answers with 4 numbers, 'tiny' has 3 classes; a teacher tells the same classes apart"
        ),
        saved(
            tmp_path / "wide.keras", *softmax(), shape=(9, 9, 1)
        ): r"takes \(None, 9, 9, 1\), the images of 'tiny' are",
        saved(tmp_path / "logits.keras", layers.Flatten(), layers.Dense(3)): "its answers are no probabilities",
        saved(tmp_path / "new.keras", *softmax(initializer="zeros")): (
            r"new\.keras: is right on 33\.33 % of 192 training images, hardly more than by chance"
        ),
    }
    for path, message in refused.items():
        with pytest.raises(UsageError, match=message):
            teacher(path, tiny)
    images, labels, *test = tiny_arrays()
    turned = make_dataset((images, (labels + 1) % 3, *test), name="turned", origin="tests")
    with pytest.raises(
        UsageError, match=r"is right on 0\.00 % .* a teacher knows the classes of 'turned', in the same"
    ):
        teacher(knowing, turned)
    named = make_dataset(tiny_arrays(), name="named", origin="tests", class_names=("one", "two", "three"))
    with pytest.raises(UsageError, match=r"cnn\.keras: knows the classes 0, 1, 2; 'named' has one, two, three"):
        teacher(exported_once / "cnn.keras", named)


def test_answers_that_are_known_before_and_those_to_changed_images_teach_the_same(tiny, knowing):
    """All labels are wrong and do not count. What changes images here does not change them to speak of."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    recipe = replace(RECIPE, teacher=str(knowing), teacher_weight=1.0)
    teaching = teacher(knowing, tiny)
    images, labels = tf.constant(tiny.train.images), tf.constant((tiny.train.labels + 1) % 3, tf.int32)
    changing = {"augmentation": Augmentation(tf, "contrast=0.000001"), "teacher": teaching}
    learned = []
    for options, taught in (({}, (teaching.answers(tiny.train, np.arange(240)),)), (changing, ())):
        keras.utils.set_random_seed(0)
        model = models.build("mlp", input_shape=(8, 8, 1), classes=3)
        optimizer = keras.optimizers.Adam(0.003)
        optimizer.build(model.trainable_variables)
        objective = Objective(tf, keras, recipe, classes=3)
        loop = Loop(tf, model=model, optimizer=optimizer, objective=objective, batch_size=15, xla=0, **options)
        for _ in range(4):
            totals = loop.train(images, labels, np.arange(240), *map(tf.constant, taught))
        assert totals.accuracy < 0.1
        answers = model.predict(tiny.train.images / np.float32(255), verbose=0)
        assert np.mean(answers.argmax(axis=1) == tiny.train.labels) > 0.95
        learned.append(answers)
    first, second = learned
    np.testing.assert_allclose(first, second, atol=1e-3)


def interrupt(epoch):
    if epoch.epoch == 1:
        raise KeyboardInterrupt


def test_a_run_goes_on_with_the_teacher_that_it_began_with(xla, here, tiny, knowing):
    """Of an MLP, whose batches XLA computes together, with all that its steps can have beside."""
    shutil.copytree(knowing.parent, here / "runs" / "knowing")
    recipe = replace(RECIPE, epochs=2, teacher="knowing", average=0.8, warmup=1)
    whole = train(recipe, tiny, here / "runs" / "whole")
    parts = here / "runs" / "parts"
    train(recipe, tiny, parts, on_epoch=interrupt)
    train(recipe, tiny, parts, resume=True)
    assert_same(state(here / "runs" / "whole"), state(parts))
    config = json.loads((parts / "config.json").read_text())
    assert config["recipe"]["teacher"] == "knowing"
    assert len(config["teacher_sha256"]) == 64
    assert "taught by knowing (weight 0.9, temperature 4)" in whole.recipe.additions
    assert "a teacher that is right on 100.00 % of 192 training images\n" in (parts / "summary.txt").read_text()

    found, _, _ = folders.go_on({"epochs": 3}, None, "parts")
    assert found.teacher == str(here / "runs" / "knowing")
    with pytest.raises(UsageError, match="was started with another teacher; only --epochs may change"):
        folders.go_on({"teacher": "whole"}, None, "parts")
    shutil.copyfile(here / "runs" / "whole" / "best.keras", here / "runs" / "knowing" / "best.keras")
    with pytest.raises(RunError, match="parts: was taught by knowing, which had other weights then"):
        train(replace(recipe, epochs=3), tiny, parts, resume=True)


def test_a_teacher_is_found_again_where_it_was(here, tmp_path, knowing):
    """A run elsewhere, or a file; config.json has the place, and no other document."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(knowing.parent, elsewhere / "known")
    shutil.copyfile(knowing, elsewhere / "big.keras")
    folder = shutil.copytree(knowing.parent, here / "runs" / "taught")
    config = json.loads((folder / "config.json").read_text())

    def taught_by(place):
        own = {"recipe": {**config["recipe"], "teacher": place.name}, "teacher": str(place)}
        (folder / "config.json").write_text(json.dumps(config | own))
        return folders.go_on({}, None, "taught")[0]

    for place in (elsewhere / "known", elsewhere / "big.keras"):
        found = taught_by(place)
        assert (found.teacher, found.to_json()["teacher"]) == (str(place), place.name)
    (elsewhere / "big.keras").unlink()
    with pytest.raises(
        UsageError, match=r"taught was taught by .*big\.keras, which is not there; give that file by --t"
    ):
        folders.go_on({}, None, "taught")
    assert folders.go_on({"teacher": "../big.keras"}, None, "taught")[0].teacher == "../big.keras"
    assert configuration.teacher_entry(replace(RECIPE, teacher="runs/taught"))["teacher"] == str(folder)
    assert configuration.teacher_entry(RECIPE) == {}
