"""What training feeds: pixels in the range that a model takes, as the user, its file or its first layer says."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from tests.export.made_up import dataset_of
from tests.export.made_up import network as linear
from toolkit import extras, runs
from toolkit.convention import Convention, Layout, parse
from toolkit.data.base import make_dataset
from toolkit.data.base.parts import divide
from toolkit.data.base.values import as_values
from toolkit.errors import RunError, UsageError
from toolkit.export.sources import resolve
from toolkit.parity.inputs import session_convention
from toolkit.runtimes import open_session
from toolkit.runtimes.keras.loading import load_model
from toolkit.training import inputs, network
from toolkit.training.distillation import Teacher
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe

pytestmark = pytest.mark.slow

RANGES = ("0..1", "0..255", "-1..1")
IMAGENET = "0.485,0.456,0.406,0.229,0.224,0.225"
# So slow that a network that is right stays so.
RECIPE = Recipe(epochs=1, batch_size=50, learning_rate=1e-6)
SCALES = """
def build(keras, *, input_shape, classes, activation):
    layers = keras.layers
    return keras.Sequential([
        keras.Input(input_shape), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(classes, "softmax")
    ])
"""
LAYOUT = """
def build(keras, *, input_shape, classes, activation):
    layers = keras.layers
    return keras.Sequential([keras.Input({axes}), layers.{flat}(), layers.Dense(classes, "softmax")])
"""


@pytest.fixture(autouse=True)
def _without_trying(monkeypatch):
    """The files of these tests are known: no worker, which imports TensorFlow once more, need load them first."""
    for user in ("transfer", "distillation"):
        monkeypatch.setattr(f"toolkit.training.{user}.load_model", lambda path, rows: load_model(path))


@pytest.fixture(scope="module")
def bright():
    return dataset_of()


@pytest.mark.parametrize(
    ("text", "layout"),
    [*product((*RANGES, IMAGENET, "bgr:-1..1"), (Layout.NHWC, Layout.NCHW)), *product(RANGES, (Layout.NHW,))],
)
def test_what_is_compiled_feeds_what_the_range_says(text, layout):
    tf, convention = extras.load("tensorflow"), replace(parse(text), layout=layout)
    channels = 1 if layout == Layout.NHW else 3
    pixels = np.arange(256 * channels).reshape(16, 16, 1, channels).astype(np.uint8)
    for rows in (pixels, pixels.astype(np.float32)):
        given = tf.function(inputs.compiled(tf, convention))(tf.constant(rows)).numpy()
        np.testing.assert_allclose(given, convention.values(pixels), rtol=1e-6, atol=1e-6)
        if text == "0..255":  # to the last bit, for models that take bytes
            np.testing.assert_array_equal(given, convention.values(pixels))


@pytest.mark.parametrize("said", ["0..255", "-1..1"])
def test_a_file_is_trained_on_the_pixels_that_it_takes(tmp_path, bright, said):
    before = [extras.load("keras").layers.Rescaling(1 / 255)] if said == "0..255" else []
    path = linear(tmp_path / "own.keras", *before, shown=(0.0, 1.0) if before else (-1.0, 1.0))
    recipe = replace(RECIPE, model=str(path), input_range=None if before else said)
    started = []
    trained = train(recipe, bright, tmp_path / "run", on_start=started.append)
    assert trained.test.accuracy == 1.0
    assert started[0].additions[0] == f"pixels as {said}"
    assert f"pixels as {said}" in (trained.folder / "summary.txt").read_text()
    assert str(runs.convention_of(trained.folder)) == str(resolve(str(trained.folder)).convention) == said
    assert str(session_convention(open_session(trained.checkpoint, threads=0), None)) == said
    # What is trained from the weights of a run takes what that took.
    went_on = train(replace(RECIPE, model=str(trained.checkpoint)), bright, tmp_path / "next")
    assert went_on.test.accuracy == 1.0
    assert str(runs.convention_of(went_on.folder)) == said
    config = json.loads((went_on.folder / "config.json").read_text())
    config["convention"] |= {"high": [2.0]}
    (went_on.folder / "config.json").write_text(json.dumps(config))
    further = replace(RECIPE, model=str(trained.checkpoint), epochs=2)
    with pytest.raises(RunError, match="its model took its pixels in another range then; start it anew"):
        train(further, bright, went_on.folder, resume=True)


def test_a_file_that_clearly_takes_another_range_is_refused_with_both_figures(tmp_path, bright):
    path = linear(tmp_path / "own.keras", shown=(-1.0, 1.0))
    with pytest.raises(
        UsageError,
        match=r"own\.keras: gets 100\.00 % of 300 .* with -1\.\.1, .* with 0\.\.1: give --input-range -1\.\.1$",
    ):
        train(replace(RECIPE, model=str(path)), bright, tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


def learner(recipe, dataset, **options):
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    return network.build(tf, keras, recipe, divide(dataset, share=0.2, seed=0), warn=pytest.fail, **options)


def test_a_python_file_whose_first_layer_scales_is_fed_what_it_scales(tmp_path, bright):
    path = tmp_path / "scales_its_pixels.py"
    path.write_text(SCALES)
    own = replace(RECIPE, model=str(path))
    assert str(learner(own, bright).convention) == "0..255"
    assert str(learner(replace(own, input_range="0..1"), bright).convention) == "0..1"
    with pytest.raises(
        UsageError, match=r"--qat is for models that take pixels as 0\.\.1; .*py takes them as 0\.\.255"
    ):
        learner(replace(own, qat=True, epochs=2), bright)


@pytest.mark.parametrize(
    ("axes", "flat", "layout"),
    [
        ((8, 8), "Flatten", Layout.NHW),
        ((1, 8, 8), "Flatten", Layout.NCHW),
        ((None, None, 1), "GlobalMaxPooling2D", Layout.NHWC),
    ],
)
def test_a_model_of_one_s_own_may_take_images_in_another_layout(tmp_path, tiny, axes, flat, layout):
    path = tmp_path / f"takes_{layout.lower()}.py"
    path.write_text(LAYOUT.format(axes=axes, flat=flat))
    built = learner(replace(RECIPE, model=str(path)), tiny)
    assert (str(built.convention), built.convention.layout, built.words) == ("0..1", layout, ())


@pytest.mark.parametrize("precision", ["float32", "mixed"])
def test_a_network_of_one_s_own_that_answers_with_logits_gets_a_softmax(tmp_path, tiny, precision):
    for flat, activation, softened in (("Flatten", ", 'softmax'", False), ("Flatten", "", True)):
        path = tmp_path / f"answers_{precision}_{softened}.py"
        path.write_text(LAYOUT.format(axes=(8, 8, 1), flat=flat).replace(', "softmax"', activation))
        said = []
        own = replace(RECIPE, model=str(path), precision=precision)
        tf, keras = extras.load("tensorflow"), extras.load("keras")
        built = network.build(tf, keras, own, divide(tiny, share=0.2, seed=0), warn=said.append)
        assert len(said) == softened
        answers = np.asarray(built.model(np.ones((2, 8, 8, 1), np.float32))).astype(np.float32)
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=0.01)


def test_a_model_of_one_s_own_that_takes_other_rows_is_refused(tmp_path, tiny):
    path = tmp_path / "takes_others.py"
    path.write_text(LAYOUT.format(axes=(8, 9, 1), flat="Flatten"))
    own = replace(RECIPE, model=str(path))
    with pytest.raises(
        UsageError, match=r"others\.py: takes \(None, 8, 9, 1\), the images of 'tiny' are \(None, 8, 8, 1\) \("
    ):
        learner(own, tiny)
    values = make_dataset(tiny_arrays(), name="numbers", origin="tests", conversion=as_values)
    with pytest.raises(UsageError, match=r"takes \(None, 8, 9, 1\), the rows of 'numbers' are \(None, 8, 8\)$"):
        learner(own, values)


def test_a_range_that_the_data_cannot_have_is_refused(tmp_path, tiny):
    path = linear(tmp_path / "own.keras", channels=1)
    three = replace(RECIPE, model=str(path), input_range="0.5,0.5,0.5,0.2,0.2,0.2")
    with pytest.raises(UsageError, match="the input range is of 3 channels, the images have 1"):
        learner(three, tiny)
    values = make_dataset(tiny_arrays(), name="numbers", origin="tests", conversion=as_values)
    path = tmp_path / "scales_values.py"
    path.write_text(SCALES)
    with pytest.raises(UsageError, match="--input-range says what pixels become; 'numbers' has rows of 8×8 values"):
        learner(replace(RECIPE, model=str(path), input_range="0..255"), values)
    assert str(learner(replace(RECIPE, model=str(path)), values).convention) == "values"


def test_a_teacher_sees_pixels_as_it_takes_them(tmp_path, bright):
    path = linear(tmp_path / "teacher.keras", extras.load("keras").layers.Rescaling(1 / 255))
    teacher = Teacher(extras.load("tensorflow"), path, divide(bright, share=0.2, seed=0))
    assert teacher.words == ("a teacher that is right on 100.00 % of 320 training images",)


def test_a_range_is_tried_unless_the_caller_says_otherwise(tmp_path, bright):
    """As compress does: a network that was only just pruned gets more images right in one range by chance."""
    path = linear(tmp_path / "own.keras", shown=(-1.0, 1.0))
    recipe = replace(RECIPE, model=str(path), input_range="0..1", teacher=str(linear(tmp_path / "teacher.keras")))
    with pytest.raises(UsageError, match=r"with -1\.\.1, .* with 0\.\.1: give --input-range -1\.\.1$"):
        learner(recipe, bright, tries_range=True)
    assert str(learner(recipe, bright).convention) == "0..1"


def test_a_range_that_a_layer_says_is_not_tried_unless_somebody_else_says_one(tmp_path, bright, monkeypatch):
    """A network that has learned nothing yet gets more images right in some range by chance."""
    scales = extras.load("keras").layers.Rescaling(1 / 127.5, offset=-1)
    path = linear(tmp_path / "new.keras", scales, shown=(-1 - 1 / 127.5, -1 + 1 / 127.5))
    recipe = replace(RECIPE, model=str(path))
    assert str(learner(recipe, bright, tries_range=True).convention) == "0..255"
    with pytest.raises(UsageError, match=r"with -1\.\.1, .* with 0\.\.255: give --input-range -1\.\.1$"):
        learner(replace(recipe, input_range="0..255"), bright, tries_range=True)
    monkeypatch.setattr(inputs, "recipe_convention", lambda *_: Convention())  # as a manifest may say
    with pytest.raises(UsageError, match=r"with -1\.\.1, .* with 0\.\.1: give --input-range -1\.\.1$"):
        learner(recipe, bright, tries_range=True)


def test_a_teacher_of_another_range_is_refused_with_what_to_do(tmp_path, bright):
    path = linear(tmp_path / "bytes.keras", shown=(0.0, 255.0))
    with pytest.raises(
        UsageError,
        match=r"bytes\.keras: gets 100\.00 % of 300 .* with 0\.\.255, .* with 0\.\.1: export it with "
        r"--input-range 0\.\.255, and give the file of that export$",
    ):
        Teacher(extras.load("tensorflow"), path, divide(bright, share=0.2, seed=0))


def test_a_file_may_leave_its_size_free(tmp_path, bright):
    keras = extras.load("keras")
    kernel, bias = load_model(linear(tmp_path / "fixed.keras")).get_weights()
    dense = keras.layers.Dense(3, "softmax")
    free = keras.Sequential([keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D(), dense])
    dense.set_weights([kernel[:3] * len(kernel) / 3, bias])
    free.save(tmp_path / "free.keras")
    parts = divide(bright, share=0.2, seed=0)
    inputs.check(free, tmp_path / "free.keras", Convention(), parts)
    teacher = Teacher(extras.load("tensorflow"), tmp_path / "free.keras", parts)
    assert teacher.words == ("a teacher that is right on 100.00 % of 320 training images",)
