"""Files of others, without a manifest: what their pixels become is plain, asked about or assumed."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tests.export.made_up import SIDE, dataset_of, network, photos
from toolkit import extras
from toolkit.convention import Convention, parse
from toolkit.errors import UsageError
from toolkit.prediction import predict

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def bright():
    return dataset_of()


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
    with pytest.raises(UsageError, match=r"obscure\.tflite: its input holds -0\.8.* most of 0\.\.255 would be cut off"):
        predict(images, obscure, given=parse("0..255"), warn=pytest.fail)
    for path, given in ((obscure, parse("-1..1")), (foreign_tflite(tmp_path / "plain.tflite", np.sign(values)), None)):
        shown = predict(images, path, given=given, warn=pytest.fail)
        assert [one.classes[0] for one in shown] == labels
        assert all(0.3 < one.probabilities[0] <= 1 for one in shown)
    names = ("dark", "dim", "light")
    with zipfile.ZipFile(tmp_path / "plain.tflite", "a") as archive:
        archive.writestr("labels.txt", "\n".join(names))
    shown = predict(images, tmp_path / "plain.tflite", warn=pytest.fail)
    assert [one.classes[0] for one in shown] == [names[int(label)] for label in labels]


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
