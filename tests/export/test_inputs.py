"""What a model's input means is found out, tried on training images, kept and used: models by hand, no training."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from toolkit import archive, extras, manifest
from toolkit.bundle.make import make
from toolkit.convention import Convention, Layout, Output, parse
from toolkit.data.base import make_dataset
from toolkit.errors import UsageError
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.sources import resolve
from toolkit.parity.verify import VerifyOptions, on_test_set
from toolkit.prediction import predict
from toolkit.runtimes import open_session

pytestmark = pytest.mark.training
SIDE = 8
# Of the classes: how bright their images are on average, from 0 to 255.
BRIGHT = (60, 120, 180)


def dataset_of(classes=3, channels=3):
    rng = np.random.default_rng(0)
    parts = []
    for count in (400, 90):
        labels = np.arange(count) % classes
        bright = np.array(BRIGHT)[labels][:, None, None, None]
        parts += [np.clip(rng.normal(bright, 20, (count, SIDE, SIDE, channels)), 0, 255).astype(np.uint8), labels]
    return make_dataset(tuple(parts), name="bright", origin="tests")


@pytest.fixture(scope="module")
def bright():
    return dataset_of()


def network(path, *before, shown=(0.0, 1.0), classes=3, activation="softmax", dtype="float32", channels=3, shape=None):
    """Save a linear network that is right on every image, whose pixels it takes as ``shown`` behind ``before``.

    shape: of its input; None stands for that of the images.
    """
    keras = extras.load("keras")
    low, high = shown
    centres = low + np.array(BRIGHT[:classes]) / 255 * (high - low)
    sharp = (4 if activation == "sigmoid" else 100) / (high - low) ** 2  # sigmoids would all be 1
    weights, bias = 2 * sharp * centres, -sharp * centres**2
    if classes == 2 and activation in ("sigmoid", "one logit"):  # the lead of the second class
        weights, bias = (values[1:] - values[:1] for values in (weights, bias))
        activation = "linear" if activation == "one logit" else activation
    size = SIDE * SIDE * channels
    dense = keras.layers.Dense(len(bias), activation=activation)
    model = keras.Sequential(
        [keras.Input(shape or (SIDE, SIDE, channels), dtype=dtype), *before, keras.layers.Flatten(), dense],
        name="bright",
    )
    dense.set_weights([np.tile(weights / size, (size, 1)).astype(np.float32), bias.astype(np.float32)])
    model.save(path)
    return path


def exported(path, dataset, *, given=None, pairs=(("tflite", "float32"), ("tflite", "int8")), warn=pytest.fail):
    options = ExportOptions(list(pairs), 50, convention=None if given is None else parse(given))
    result = export(resolve(str(path)), dataset, path.parent / path.stem, options, warn=warn)
    assert result.failures == {}
    return manifest.read(result.manifest.folder)


@pytest.mark.slow
def test_the_first_layers_of_a_model_say_its_range(tmp_path):
    layers = extras.load("keras").layers
    normal = layers.Normalization(mean=[0.1307], variance=[0.3081**2])
    of_bytes = layers.Normalization(mean=[33.3], variance=[78.6**2])
    cases = [
        ((), {}, None),
        ((layers.Rescaling(1 / 255),), {}, "0..255"),
        ((layers.RandomFlip(), layers.Rescaling(1 / 127.5, offset=-1)), {}, "0..255"),
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


def judged(found, dataset):
    part = on_test_set(found, found.artifacts, dataset, VerifyOptions(margin_pp=5.0), pytest.fail)
    return [(one.verdict, one.figures.accuracy, one.figures.reference_accuracy) for one in part.comparisons]


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
    assert any("is near chance: are these the data that it was made for?" in text for text in warned)


def photos(dataset, folder, count=6):
    from PIL import Image

    paths = [folder / f"{row}.png" for row in range(count)]
    for path, pixels in zip(paths, dataset.test.images, strict=False):
        Image.fromarray(pixels).save(path)
    return paths


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "classes", "kind"),
    [
        ("linear", 3, Output.LOGITS),
        ("sigmoid", 3, Output.SIGMOIDS),
        ("sigmoid", 2, Output.SIGMOID),
        ("one logit", 2, Output.LOGITS),
    ],
)
def test_answers_of_every_kind_are_probabilities_where_they_are_shown(tmp_path, activation, classes, kind):
    dataset = dataset_of(classes)
    path = network(tmp_path / "kind.keras", classes=classes, activation=activation)
    found = exported(path, dataset, pairs=[("tflite", "float32"), ("onnx", "float32")])
    assert found.convention.output == kind
    assert judged(found, dataset) == [("pass", 1.0, 1.0)] * 2
    images = photos(dataset, tmp_path)
    reference = open_session(found.reference_path, threads=0)
    reference.convention = found.convention
    expected = found.convention.probabilities(reference.predict(dataset.test.images[:6]))
    labels = [str(label) for label in dataset.test.labels[:6]]
    np.save(tmp_path / "images.npy", dataset.test.images[:6])
    for artifact in found.artifacts:
        shown = predict(images, found.folder / artifact.path, warn=pytest.fail)
        assert [one.classes[0] for one in shown] == labels
        np.testing.assert_allclose([one.probabilities[0] for one in shown], expected.max(axis=1), atol=1e-5)
        bundle = make(found, artifact, tmp_path / f"{artifact.format}.zip")
        archive.unpack(bundle.path, tmp_path / artifact.format)
        script = tmp_path / artifact.format / bundle.name / "classify.py"
        run = [sys.executable, "-I", script, tmp_path / "images.npy"]
        lines = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
        assert lines == [f"{label} {row.max():.4f}" for label, row in zip(labels, expected, strict=True)]
        assert subprocess.run(run[:3], check=False).returncode == 0


@pytest.mark.slow
def test_a_bundle_and_a_c_header_say_what_pixels_become(tmp_path, bright):
    path = network(tmp_path / "signed.keras", shown=(-1.0, 1.0))
    found = exported(path, bright, given="-1..1", pairs=plan(["c"], []))
    header = (found.folder / "signed-int8.h").read_text()
    assert "Input:  pixel / 255 * 2 - 1 as int8" in header
    assert "value = round((pixel / 255 * 2 - 1) / SIGNED_INT8_INPUT_SCALE) + SIGNED_INT8_INPUT_ZERO_POINT" in header
    bundle = make(found, found.artifacts[0], tmp_path / "b.zip")
    archive.unpack(bundle.path, tmp_path / "b")
    np.save(tmp_path / "images.npy", bright.test.images)
    run = [sys.executable, "-I", tmp_path / "b" / bundle.name / "classify.py", tmp_path / "images.npy"]
    lines = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
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
    bundle = make(found, found.artifacts[0], tmp_path / "b.zip")
    archive.unpack(bundle.path, tmp_path / "b")
    np.save(tmp_path / "images.npy", dataset.test.images)
    run = [sys.executable, "-I", tmp_path / "b" / bundle.name / "classify.py", tmp_path / "images.npy"]
    lines = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
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
    bundle = make(found, found.artifacts[0], tmp_path / "b.zip")
    archive.unpack(bundle.path, tmp_path / "b")
    assert (
        subprocess.run([sys.executable, "-I", tmp_path / "b" / bundle.name / "classify.py"], check=False).returncode
        == 0
    )


def foreign_tflite(path, values):
    """Save a network of -1..1 as others do: full-integer with uint8 in and out, calibrated on values of the input."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    model = keras.saving.load_model(network(path.with_suffix(".keras"), shown=(-1.0, 1.0)))
    with extras.streams_to(path.with_suffix(".log")):
        model.export(path.with_suffix(""), verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(path.with_suffix("")))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([value[None]] for value in values)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        path.write_bytes(converter.convert())
    return path


@pytest.mark.slow
def test_a_foreign_quantized_file_is_asked_about_unless_its_scale_is_plain(tmp_path, bright):
    images = photos(bright, tmp_path)
    labels = [str(label) for label in bright.test.labels[:6]]
    values = parse("-1..1").values(bright.train.images[:50])
    obscure = foreign_tflite(tmp_path / "obscure.tflite", np.clip(values, -0.8, 0.7))
    said = (
        r"takes uint8 \(scale 0\.005\d+, zero point \d+\), which can stand for pixels in any range; give --input-range"
    )
    with pytest.raises(UsageError, match=rf"obscure\.tflite: {said}, such as 0\.\.1"):
        predict(images, obscure, warn=pytest.fail)
    for path, given in ((obscure, parse("-1..1")), (foreign_tflite(tmp_path / "plain.tflite", np.sign(values)), None)):
        shown = predict(images, path, given=given, warn=pytest.fail)
        assert [one.classes[0] for one in shown] == labels
        assert all(0.3 < one.probabilities[0] <= 1 for one in shown)


def test_a_foreign_file_in_float_with_channels_first_is_taken_as_it_is(tmp_path, bright):
    from onnx import TensorProto, helper, save

    tensors = [("weights", (3, 3), np.diag([9.0, 9.0, 9.0])), ("bias", (3,), np.zeros(3))]
    graph = helper.make_graph(
        [
            helper.make_node("GlobalMaxPool", ["pixels"], ["most"]),
            helper.make_node("Flatten", ["most"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        ],
        "reddest, greenest or bluest",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor(name, TensorProto.FLOAT, shape, values.ravel()) for name, shape, values in tensors],
    )
    path = tmp_path / "colours.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    colours = np.zeros((3, SIDE, SIDE, 3), np.uint8)
    for colour in range(3):
        colours[colour, :, :, colour] = 255
    images = photos(replace(bright, test=replace(bright.test, images=colours)), tmp_path, 3)
    warned = []
    shown = predict(images, path, warn=warned.append)
    assert [one.classes[0] for one in shown] == ["0", "1", "2"]
    expected = np.exp(9) / (np.exp(9) + 2)
    np.testing.assert_allclose([one.probabilities[0] for one in shown], expected, atol=1e-6)
    assert warned == [f"{path}: no manifest says in which range it takes pixels; 0..1 is assumed (--input-range)"]
    (half, *_) = predict(images, path, given=parse("0..0.5"), warn=pytest.fail)
    assert half.probabilities[0] == pytest.approx(np.exp(4.5) / (np.exp(4.5) + 2), abs=1e-6)


def test_a_range_that_the_manifest_knows_better_is_refused(exported_once, tmp_path, bright):
    images = photos(dataset_of(channels=3), tmp_path, 1)
    path = exported_once / "cnn-int8.tflite"
    assert predict(images, path, given=Convention(), warn=pytest.fail)
    with pytest.raises(UsageError, match=r"cnn-int8\.tflite: its manifest says 0\.\.1; leave out --input-range"):
        predict(images, path, given=parse("0..255"), warn=pytest.fail)


def test_a_model_that_was_trained_here_takes_what_the_training_gave_it(trained_folder):
    assert resolve(str(trained_folder)).convention == Convention()
