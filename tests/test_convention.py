"""What pixels become for a model, and what its outputs are: as users write it, as files tell it."""

import numpy as np
import pytest

from toolkit.convention import (
    CAFFE,
    STANDARD,
    Convention,
    Layout,
    Output,
    byte_range,
    from_message,
    from_tensor,
    image_shape,
    layout_of,
    output_of,
    parse,
    sizes_for,
    takes,
)
from toolkit.errors import UsageError
from toolkit.files import documents
from toolkit.manifest import TensorSpec

PIXELS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
IMAGENET = "0.485,0.456,0.406,0.229,0.224,0.225"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0..1", (0.0,), (1.0,)),
        ("0..255", (0.0,), (255.0,)),
        ("-1..1", (-1.0,), (1.0,)),
        (" -0.5 .. 0.5 ", (-0.5,), (0.5,)),
        ("1..0", (1.0,), (0.0,)),
        ("0.5,0.25", (-2.0,), (2.0,)),
    ],
)
def test_a_range_is_read_as_it_is_written(text, low, high):
    assert (parse(text).low, parse(text).high) == (low, high)


@pytest.mark.parametrize("text", ["0..1", "0..255", "-1..1", "-128..127", IMAGENET, "bgr:0..255", f"bgr:{IMAGENET}"])
def test_a_range_is_written_as_it_is_read(text):
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0-1",
        "0..",
        "1..1",
        "0..nan",
        "0..1..2",
        "0..1e999",
        "0.5",
        "0.5,0",
        "0.5,1e-320",
        "0.5,1e999",
        "0.5,-1",
        "123.7,58.4",
        "1,2,3",
        "a,b",
        "٣..4",
        "rgb:0..1",
        ":0..1",
        "bgr:",
        "bgr:bgr:0..1",
    ],
)
def test_what_is_no_range_is_refused_with_what_is(text):
    with pytest.raises(UsageError, match=r"--input-range is '.*'; allowed: LOW\.\.HIGH, .* or MEAN,STD"):
        parse(text)


def test_pixels_become_what_the_range_says_to_the_last_bit():
    real = PIXELS.astype(np.float64)
    np.testing.assert_array_equal(parse("0..1").values(PIXELS), PIXELS / np.float32(255))
    np.testing.assert_array_equal(parse("0..255").values(PIXELS), real)
    np.testing.assert_array_equal(parse("-1..1").values(PIXELS), PIXELS / np.float32(127.5) - np.float32(1))
    assert parse("-1..1").values(PIXELS).dtype == np.float32


def test_mean_and_deviation_are_of_each_channel():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    expected = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(parse(IMAGENET).values(images), expected, atol=1e-6)
    with pytest.raises(UsageError, match="the input range is of 3 channels, the images have 1"):
        parse(IMAGENET).values(PIXELS)


def test_blue_comes_first_where_the_order_says_so():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(parse("bgr:0..255").values(images), images[..., ::-1])
    np.testing.assert_allclose(CAFFE.values(images), images[..., ::-1] - [103.939, 116.779, 123.68], atol=1e-4)
    np.testing.assert_allclose(parse(str(CAFFE)).values(images), CAFFE.values(images), atol=1e-2)
    with pytest.raises(UsageError, match=r"--input-range bgr:0\.\.1 is of three channels, the images have one"):
        parse("BGR: 0..1").values(PIXELS)
    message = documents.to_tree(parse("bgr:-1..1"))
    assert from_message(message) == parse("bgr:-1..1")
    del message["bgr"]
    assert from_message(message) == parse("-1..1")


def test_channels_come_first_where_the_layout_says_so():
    images = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    values = Convention((0.0,), (255.0,), Layout.NCHW).values(images)
    assert values.shape == (1, 3, 2, 4)
    np.testing.assert_array_equal(values[0, 2], images[0, :, :, 2])
    assert Convention(layout=Layout.NCHW).row_shape((None, 3, 2, 4)) == (2, 4, 3)
    assert [layout_of(shape) for shape in ((1, 3, 9, 9), (1, 9, 9, 3), (1, 3, 3, 3), (1, 9))] == [
        Layout.NCHW,
        Layout.NHWC,
        Layout.NHWC,
        Layout.VALUES,
    ]


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "said"),
    [
        ("uint8", 1 / 255, 0, "0..1"),
        ("int8", 1 / 255, -128, "0..1"),
        ("uint8", 1 / 127.5, 127, "-1..1"),
        ("uint8", 1 / 127.5, 128, "-1..1"),
        ("int8", 1 / 127.5, 0, "-1..1"),
        ("uint8", 1.0, 0, "0..255"),
        ("int8", 1.0, -128, "0..255"),
        ("uint8", None, None, "0..255"),
        ("int32", None, None, "0..255"),
        ("int8", None, None, None),
        ("int16", 1 / 32767, 0, None),
        ("uint8", 0.0074, 136, None),
        ("float32", None, None, None),
    ],
)
def test_a_file_tells_its_range_only_where_that_is_plain(dtype, scale, zero_point, said):
    found = from_tensor(TensorSpec("image", (None, 8, 8, 1), dtype, scale, zero_point))
    assert (None if found is None else str(found)) == said


@pytest.mark.parametrize(
    ("outputs", "step", "said"),
    [
        ([[0.2, 0.8], [1.0, 0.0]], None, Output.PROBABILITIES),
        ([[0.2, 0.795], [1.0, 0.0]], None, Output.SIGMOIDS),
        ([[0.2, 0.795], [1.0, 0.0]], 1 / 256, Output.PROBABILITIES),
        (np.float32([[3, 252], [200, 56], [4, 252]]) / 256, None, Output.PROBABILITIES),
        (np.float32([[1, 254], [200, 55], [0, 255]]) * np.float32(0.0039), None, Output.PROBABILITIES),
        (np.float32([[1, 254.1], [200, 55], [0, 255]]) * np.float32(0.0039), None, Output.SIGMOIDS),
        (np.float32([[1, 254], [200, 55], [0, 255]]) * np.float32(0.0019), None, Output.SIGMOIDS),
        (np.float32([[0, 255]] * 3000 + [[1, 254], [200, 55]]) * np.float32(0.0039), None, Output.PROBABILITIES),
        ([[0.9, 0.8], [0.1, 0.0]], None, Output.SIGMOIDS),
        ([[0.9, 1.8], [0.1, 0.0]], None, Output.LOGITS),
        ([[0.9], [0.1]], None, Output.SIGMOID),
        ([[0.9], [-2.0]], None, Output.LOGITS),
    ],
)
def test_outputs_are_judged_by_themselves(outputs, step, said):
    assert output_of(np.float32(outputs), step=step) == said


def test_one_number_tells_two_classes_apart():
    sigmoid, logit, unknown = (Convention(output=one) for one in (Output.SIGMOID, Output.LOGITS, None))
    np.testing.assert_allclose(sigmoid.answers(np.float32([[0.9], [0.2]])), [[0.1, 0.9], [0.8, 0.2]], atol=1e-6)
    answers = logit.answers(np.float32([[2.0], [-1.0]]))
    np.testing.assert_allclose(logit.probabilities(answers)[:, 1], 1 / (1 + np.exp([-2.0, 1.0])), atol=1e-6)
    assert unknown.answers(np.float32([[2.0]])).shape == (1, 1)
    several = np.array([[0.9, 0.8]], np.float32)
    assert Convention(output=Output.SIGMOIDS).probabilities(several) is several


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("0..1", "pixel / 255"),
        ("0..255", "pixel"),
        ("-1..1", "pixel / 255 * 2 - 1"),
        ("-128..127", "pixel - 128"),
        ("1..3", "pixel / 255 * 2 + 1"),
        ("0,0,0,1,1,0.5", "pixel / 255 * {1, 1, 2}[channel] + {-0, -0, -0}[channel]"),
    ],
)
def test_a_formula_says_it_in_c(text, formula):
    assert parse(text).formula == formula


def test_a_manifest_keeps_it_and_refuses_what_it_cannot_be():
    for one in (*STANDARD, parse(IMAGENET), Convention(layout=Layout.NCHW, output=Output.LOGITS)):
        tree = documents.to_tree(one)
        assert documents.convert(tree, Convention, "here", what="a convention") == one
    for wrong in ({"low": [0], "high": [0]}, {"low": [0, 1], "high": [1, 2]}, {"layout": "CHW"}, {"output": "odds"}):
        with pytest.raises(Exception, match="here: not a convention"):
            documents.convert(wrong, Convention, "here", what="a convention")


def test_grey_images_may_lack_the_axis_of_their_channel():
    grey = Convention(layout=layout_of((None, 16, 16)))
    assert (grey.layout, grey.row_shape((None, 16, 16))) == (Layout.NHW, (16, 16, 1))
    np.testing.assert_array_equal(grey.values(PIXELS), Convention().values(PIXELS)[..., 0])


@pytest.mark.parametrize(("dtype", "offset"), [("uint8", 0), ("int8", 128)])
def test_the_range_of_bytes_hands_over_pixels_as_they_are(dtype, offset):
    spec = TensorSpec("image", (None, 16, 16, 1), dtype, scale=0.0182, zero_point=109 - offset)
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    values = parse(str(byte_range(spec))).values(pixels)
    np.testing.assert_array_equal(np.rint(values / 0.0182) + 109 - offset, pixels.astype(int) - offset)


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((None, 8, 9, 3), (8, 9, 3)),
        ((None, 3, 8, 9), (8, 9, 3)),
        ((None, 8, 9), (8, 9, 1)),
        ((1, 8, None, 3), None),
        ((None, 8, None), None),
        ((None, 64), None),
        ((None, 5, 8, 9, 3), None),
        ((), None),
    ],
)
def test_the_images_that_a_model_takes(shape, image):
    assert image_shape(shape) == image
    if image is not None:
        assert sizes_for(shape, image) == shape[1:]


@pytest.mark.parametrize(
    ("shape", "row", "dtype", "fits"),
    [
        ((None, 8, 9, 1), (8, 9, 1), "uint8", True),
        ((None, 8, 9), (8, 9, 1), "uint8", True),
        ((None, 8, 9), (8, 9, 3), "uint8", False),
        ((None, 3, 8, 9), (8, 9, 3), "uint8", True),
        ((None, 3, 8, 9), (8, 8, 3), "uint8", False),
        ((None, None, None, 3), (8, 9, 3), "uint8", True),
        ((None, None, 3), (8, 9, 3), "float32", False),
        ((None, None, 9), (8, 9), "float32", True),
        ((None, 72), (8, 9, 1), "uint8", False),
        ((None, 8, 9), (8, 9, 1), "float32", False),
    ],
)
def test_whether_an_input_takes_rows_of_data(shape, row, dtype, fits):
    assert takes(shape, np.zeros((2, *row), dtype)) == fits
