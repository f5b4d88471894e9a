"""Any file beside any other: linear models by hand, none of them in a manifest."""

import json

import numpy as np
import pytest

from tests.export.made_up import BRIGHT, SIDE, dataset_of
from toolkit.cli import call
from toolkit.convention import parse
from toolkit.errors import ArtifactError, DataError, UsageError
from toolkit.parity.against import verify_against

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def bright():
    return dataset_of()


def linear(path, *, weights, bias, softmax=True, whole=False, step=None, pooled=False):
    """Save a model of one dense layer: (pixels, classes) weights of SIDE × SIDE × 3 pixels.

    step: what its answers are rounded to before it gives them out in float. pooled: whether it takes images of any
    size, with their channels first, and the weights are (3, classes), of what is left of them.
    """
    from onnx import TensorProto, helper, numpy_helper, save

    nodes = [
        helper.make_node("Flatten", ["image"], ["values"]),
        helper.make_node("Gemm", ["values", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    output = "probabilities" if softmax else "logits"
    nodes = nodes if softmax else nodes[:2]
    if whole:
        nodes, output = [*nodes, helper.make_node("Round", [output], ["whole"])], "whole"
    if step:
        quantize = helper.make_node("QuantizeLinear", [output, "step", "zero"], ["bytes"])
        nodes, output = (
            [*nodes, quantize, helper.make_node("DequantizeLinear", ["bytes", "step", "zero"], ["out"])],
            "out",
        )
    if pooled:
        nodes = [helper.make_node("GlobalAveragePool", ["image"], ["pool"]), *nodes]
        nodes[1].input[0] = "pool"
    graph = helper.make_graph(
        nodes,
        "linear",
        [
            helper.make_tensor_value_info(
                "image", TensorProto.FLOAT, [None, *((3, None, None) if pooled else (SIDE, SIDE, 3))]
            )
        ],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, len(bias)])],
        [
            numpy_helper.from_array(np.asarray(weights, np.float32), "weights"),
            numpy_helper.from_array(np.asarray(bias, np.float32), "bias"),
            *(
                [numpy_helper.from_array(np.float32(step), "step"), numpy_helper.from_array(np.uint8(0), "zero")]
                if step
                else []
            ),
        ],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def by_brightness(path, *, low=0.0, high=1.0, classes=(0, 1, 2), sharp=100, **kind):
    """Save a model that is right on every image, whose pixels it takes from ``low`` to ``high``. sharp: how sure."""
    centres = low + np.array(BRIGHT)[list(classes)] / 255 * (high - low)
    sharp, size = sharp / (high - low) ** 2, 3 if kind.get("pooled") else SIDE * SIDE * 3
    weights = np.tile(2 * sharp * centres / size, (size, 1))
    return linear(path, weights=weights, bias=-sharp * centres**2, **kind)


def compared(bright, reference, *paths, **options):
    said = []
    (part,) = verify_against(paths, reference, lambda shape: bright, warn=said.append, **options).parts
    return part, said


def test_each_file_gets_the_range_in_which_it_is_right(tmp_path, bright):
    """And is compared by probabilities, whatever it answers with."""
    reference = by_brightness(tmp_path / "reference.onnx", high=255.0)
    logits = by_brightness(tmp_path / "logits.onnx", low=-1.0, softmax=False)
    part, said = compared(bright, reference, logits, margin_pp=5.0)
    (comparison,) = part.comparisons
    assert (comparison.verdict, comparison.figures.accuracy, comparison.figures.changed) == ("pass", 1.0, 0)
    assert part.dataset["n"] == comparison.n == 90
    assert ["0..255 is taken" in said[0], "-1..1 is taken" in said[1]] == [True, True]
    assert "100.00 % of 300 training images are right" in said[0]


@pytest.mark.parametrize("step", [1 / 256, 0.0039])
def test_probabilities_that_are_rounded_inside_the_model_are_judged_as_rounded_ones(tmp_path, bright, step):
    """Their sums are away from 1 by a step for each class: that is no softmax missing."""
    reference = by_brightness(tmp_path / "reference.onnx", sharp=9)
    rounded = by_brightness(tmp_path / "rounded.onnx", sharp=9, step=step)
    for paths in ((reference, rounded), (rounded, reference)):
        part, _ = compared(bright, *paths, given=parse("0..1"), margin_pp=5.0)
        (comparison,) = part.comparisons
        assert (comparison.problem, comparison.verdict) == (None, "pass")
        assert comparison.figures.kl_mean < 1e-4


def test_a_model_for_images_of_any_size_is_given_those_of_the_data(tmp_path, bright):
    reference, free = (by_brightness(tmp_path / f"{pooled}.onnx", pooled=pooled) for pooled in (False, True))
    part, _ = compared(bright, reference, free, given=parse("0..1"), margin_pp=5.0)
    assert (part.comparisons[0].verdict, part.comparisons[0].figures.changed) == ("pass", 0)


def test_what_answers_with_one_number_a_row_is_no_classifier(tmp_path, bright):
    from onnx import TensorProto, helper, load, save

    best = load(by_brightness(tmp_path / "best.onnx"))
    best.graph.node.append(helper.make_node("ArgMax", ["probabilities"], ["class"], axis=1, keepdims=0))
    best.graph.output[0].CopyFrom(helper.make_tensor_value_info("class", TensorProto.INT64, [None]))
    save(best, tmp_path / "best.onnx")
    with pytest.raises(
        ArtifactError, match=r"best\.onnx: its output is \(300,\); a classifier's is \(batch, classes\)"
    ):
        compared(bright, by_brightness(tmp_path / "reference.onnx"), tmp_path / "best.onnx")


def test_a_file_that_means_other_classes_fails(tmp_path, bright):
    reference = by_brightness(tmp_path / "reference.onnx")
    swapped = by_brightness(tmp_path / "swapped.onnx", classes=(1, 0, 2))
    part, _ = compared(bright, reference, swapped)
    assert part.comparisons[0].verdict == "fail"
    assert part.comparisons[0].figures.lost == 60


def test_a_range_that_is_clearly_not_the_models_is_refused(tmp_path, bright):
    reference = by_brightness(tmp_path / "reference.onnx", high=255.0)
    with pytest.raises(UsageError, match=r"100\.00 % of 300 training images right with 0\.\.255, .* with 0\.\.1: give"):
        compared(bright, reference, reference, given=parse("0..1"))


def test_what_cannot_be_compared_is_named(tmp_path, bright):
    three, two = (by_brightness(tmp_path / f"{n}.onnx", classes=range(n)) for n in (3, 2))
    with pytest.raises(DataError, match="tells 2 classes apart, the data have more"):
        compared(bright, two, three)
    part, _ = compared(bright, three, two)
    assert part.comparisons[0].problem.text == "its outputs are (90, 2), the reference's (90, 3): not the same classes"
    assert part.comparisons[0].portability is None
    with pytest.raises(ArtifactError, match="a folder; give a file"):
        compared(bright, three, tmp_path)
    with pytest.raises(UsageError, match=r"name the files to compare with .*3\.onnx"):
        compared(bright, three)


@pytest.mark.parametrize("lacking", ["reference", "candidate"])
def test_a_file_that_is_not_there_is_named_before_data_are_loaded(tmp_path, lacking):
    paths = {name: tmp_path / f"{name}.onnx" for name in ("reference", "candidate")}
    for path in {*paths.values()} - {paths[lacking]}:
        path.write_bytes(b"x")
    with pytest.raises(ArtifactError, match=rf"{lacking}\.onnx: no such file"):
        verify_against([paths["candidate"]], paths["reference"], lambda shape: pytest.fail("loaded"), warn=pytest.fail)


def test_the_verb_compares_and_says_with_what(capfd, tmp_path, bright):
    def cli(*arguments):
        code = call([str(argument) for argument in arguments])
        return (code, *capfd.readouterr())

    reference = by_brightness(tmp_path / "reference.onnx")
    data = tmp_path / "data.npz"
    arrays = (bright.train.images, bright.train.labels, bright.test.images, bright.test.labels)
    np.savez(data, **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
    code, out, _ = cli("verify", reference, "--against", reference, "--data", data, "--json", "--margin", 5)
    document = json.loads(out)
    assert (code, document["verdict"]) == (0, "pass")
    (result,) = document["results"]
    assert (document["references"], result["format"], result["changed"]) == ([str(reference)], None, 0)
    for options, why in (
        ((), "needs labelled images; give them by --data"),
        (("--data", data, "--save"), "--against compares any files by accuracy; leave out --save"),
    ):
        code, _, err = cli("verify", reference, "--against", reference, *options)
        assert (code, err.count("\n")) == (2, 1)
        assert why in err
    code, _, err = cli("verify", reference, "--input-range", "0..1")
    assert (code, err) == (2, "error: manifests say what pixels become; --input-range goes with --against\n")


@pytest.mark.parametrize("verb", ["verify", "diagnose"])
def test_photos_are_brought_to_the_size_that_the_reference_takes(tmp_path, bright, capfd, verb):
    from PIL import Image

    for number, (image, label) in enumerate(zip(bright.train.images[:60], bright.train.labels[:60], strict=True)):
        folder = tmp_path / "photos" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((SIDE + 3, SIDE + 2)).save(folder / f"{number}.png")
    reference = by_brightness(tmp_path / "reference.onnx")
    code = call([verb, str(reference), "--against", str(reference), "--data", str(tmp_path / "photos"), "--json"])
    out, err = capfd.readouterr()
    # Too few images for a verdict.
    assert (code, json.loads(out).get("verdict")) == ((3, "inconclusive") if verb == "verify" else (0, None)), err
