"""What a model's input means is found out, tried on training images, kept and used: models by hand, no training."""

from dataclasses import replace

import numpy as np
import pytest

from tests.export.made_up import SIDE, bundled, dataset_of, exported, judged, network, photos
from toolkit import extras
from toolkit.convention import Convention, Layout, Output
from toolkit.data.base import make_dataset
from toolkit.errors import UsageError
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.sources import resolve
from toolkit.parity.verify import VerifyOptions, on_test_set
from toolkit.prediction import predict
from toolkit.runtimes import open_session

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def bright():
    return dataset_of()


@pytest.mark.slow
def test_the_first_layers_of_a_model_say_its_range(tmp_path):
    layers = extras.load("keras").layers
    augmentation = extras.load("keras").Sequential([layers.RandomFlip(), layers.GaussianNoise(0.1)])
    normal = layers.Normalization(mean=[0.1307], variance=[0.3081**2])
    of_bytes = layers.Normalization(mean=[33.3], variance=[78.6**2])
    cases = [
        ((), {}, None),
        ((layers.Rescaling(1 / 255),), {}, "0..255"),
        ((layers.RandomFlip(), layers.Rescaling(1 / 127.5, offset=-1)), {}, "0..255"),
        ((augmentation, layers.Rescaling(1 / 255)), {}, "0..255"),
        ((layers.Resizing(9, 9), layers.CenterCrop(8, 8), layers.Rescaling(1 / 255)), {}, "0..255"),
        ((layers.Rescaling(2.0, offset=-1),), {}, "0..1"),
        ((layers.Rescaling(0.5, offset=0.5),), {}, "-1..1"),
        ((layers.Rescaling(1e6),), {}, None),
        ((normal,), {}, "0..1"),
        ((of_bytes,), {}, "0..255"),
        ((), {"dtype": "uint8"}, "0..255"),
    ]
    for number, (before, options, said) in enumerate(cases):
        path = network(tmp_path / f"{number}.keras", *before, channels=1, **options)
        declared = open_session(path, threads=0).declared
        assert (None if declared is None else str(declared)) == said, number


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rescaling", "uint8", "bytes", "signed"])
def test_a_model_is_given_its_pixels_as_it_takes_them(tmp_path, bright, name):
    rescaling = extras.load("keras").layers.Rescaling(1 / 255)
    cases: dict[str, tuple[dict, str, str]] = {
        "rescaling": ({"before": [rescaling]}, None, "0..255"),
        "uint8": ({"before": [rescaling], "dtype": "uint8"}, None, "0..255"),
        "bytes": ({"shown": (0.0, 255.0)}, "0..255", "0..255"),
        "signed": ({"shown": (-1.0, 1.0)}, "-1..1", "-1..1"),
    }
    options, given, said = cases[name]
    before = options.pop("before", [])
    found = exported(network(tmp_path / f"{name}.keras", *before, **options), bright, given=given)
    assert (str(found.convention), found.convention.output) == (said, Output.PROBABILITIES)
    assert judged(found, bright) == [("pass", 1.0, 1.0)] * 2
    again = export(
        resolve(str(found.folder)), bright, found.folder, ExportOptions([("tflite", "int8")], 50), warn=pytest.fail
    )
    assert str(again.manifest.convention) == said
    assert len(again.manifest.artifacts) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "given", "best"),
    [
        ((0.0, 255.0), None, "0..255"),
        ((-1.0, 1.0), None, "-1..1"),
        ((0.0, 1.0), "0..255", "0..1"),
        ((0.0, 255.0), "0..1", "0..255"),
    ],
)
def test_a_range_that_is_clearly_not_the_models_is_refused_with_both_figures(tmp_path, bright, shown, given, best):
    path = network(tmp_path / "bright.keras", shown=shown)
    figures = rf"100\.00 % of 300 training images right with {best}, \d\d\.\d\d % with {given or '0..1'}"
    with pytest.raises(UsageError, match=rf"bright\.keras: gets {figures}: give --input-range {best}"):
        exported(path, bright, given=given)
    assert not (tmp_path / "bright" / "manifest.json").exists()


@pytest.mark.slow
def test_a_model_that_is_wrong_in_every_range_is_warned_of(tmp_path, bright):
    strange = replace(
        bright, train=replace(bright.train, labels=np.random.default_rng(1).permutation(bright.train.labels))
    )
    said = []
    found = exported(network(tmp_path / "bright.keras"), strange, pairs=[("tflite", "float32")], warn=said.append)
    assert str(found.convention) == "0..1"
    assert len(said) == 1
    assert "near chance in every input range" in said[0]
    assert "is this the data that the model was made for?" in said[0]
    warned = []
    on_test_set(
        found, found.artifacts, replace(strange, test=strange.train), VerifyOptions(allow_overlap=True), warned.append
    )
    assert any("is no better than chance: was it made for these data" in text for text in warned)


@pytest.mark.slow
def test_a_bundle_and_a_c_header_say_what_pixels_become(tmp_path, bright):
    path = network(tmp_path / "signed.keras", shown=(-1.0, 1.0))
    found = exported(path, bright, given="-1..1", pairs=plan(["c"], []))
    header = (found.folder / "signed-int8.h").read_text()
    assert "Input:  pixel / 255 * 2 - 1 as int8" in header
    assert "value = round((pixel / 255 * 2 - 1) / SIGNED_INT8_INPUT_SCALE) + SIGNED_INT8_INPUT_ZERO_POINT" in header
    lines = bundled(found, found.artifacts[0], bright.test.images, tmp_path)
    assert [line.split()[0] for line in lines] == [str(label) for label in bright.test.labels]


def with_noise(dataset):
    """Return grey images with two more channels, which say nothing of their class."""
    rng = np.random.default_rng(1)
    parts = {}
    for name, split in dataset.splits.items():
        noise = rng.integers(0, 256, (len(split), SIDE, SIDE, 2)).astype(np.uint8)
        parts[name] = replace(split, images=np.concatenate([split.images, noise], axis=3))
    return replace(dataset, **parts)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [Layout.NHW, Layout.NCHW])
def test_images_are_given_in_the_layout_of_the_model(tmp_path, layout):
    """With the channels first, of a network that looks at the first of them alone."""
    dataset, own = dataset_of(channels=1), tmp_path / "own.keras"
    if layout == Layout.NCHW:
        first = extras.load("keras").layers.Cropping2D(((0, 2), (0, 0)))
        dataset = with_noise(dataset)
        path = network(own, first, channels=1, shape=(3, SIDE, SIDE), shown=(-1.0, 1.0))
    else:
        path = network(own, channels=1, shape=(SIDE, SIDE), shown=(-1.0, 1.0))
    found = exported(path, dataset, given="-1..1", pairs=plan(["c"], []))
    assert (found.convention.layout, judged(found, dataset)) == (layout, [("pass", 1.0, 1.0)])
    place = "first" if layout == Layout.NCHW else "last"
    assert f"rows of an image one after the other, channels {place}:" in (found.folder / "own-int8.h").read_text()
    lines = bundled(found, found.artifacts[0], dataset.test.images, tmp_path)
    assert [line.split()[0] for line in lines] == [str(label) for label in dataset.test.labels]


def coloured():
    """Return images of which one channel is the brightest, red, green or blue: that is their class."""
    rng = np.random.default_rng(0)
    parts = []
    for count in (300, 90):
        labels = np.arange(count) % 3
        images = rng.integers(0, 100, (count, SIDE, SIDE, 3)).astype(np.uint8)
        images[np.arange(count), :, :, labels] += 100
        parts += [images, labels]
    return make_dataset(tuple(parts), name="coloured", origin="tests")


@pytest.mark.slow
def test_a_model_that_takes_blue_first_is_found_out_and_given_it(tmp_path):
    dataset, keras = coloured(), extras.load("keras")
    dense = keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.GlobalAveragePooling2D(), dense])
    dense.set_weights([20 * np.eye(3)[::-1], np.zeros(3)])
    model.save(path := tmp_path / "blue.keras")
    with pytest.raises(
        UsageError,
        match=r"100\.00 % of 300 .* right with bgr:0\.\.1, \d\d\.\d\d % with 0\.\.1: give --input-range bgr:0\.\.1$",
    ):
        exported(path, dataset)
    found = exported(path, dataset, given="bgr:0..1", pairs=plan(["c"], []))
    assert (str(found.convention), judged(found, dataset)) == ("bgr:0..1", [("pass", 1.0, 1.0)])
    assert "channels last, blue before red:" in (found.folder / "blue-int8.h").read_text()
    shown = predict(photos(dataset, tmp_path), found.folder / "blue-int8.tflite", warn=pytest.fail)
    assert [one.classes[0] for one in shown] == [str(label) for label in dataset.test.labels[:6]]
    bundled(found, found.artifacts[0], dataset.test.images, tmp_path)  # whose own check passes


def test_a_model_that_was_trained_here_takes_what_the_training_gave_it(trained_folder):
    assert resolve(str(trained_folder)).convention == Convention()
