"""Which artifacts are made of what was asked for."""

import pytest

from toolkit.errors import UsageError
from toolkit.export.formats import plan


def test_the_plan_has_six_artifacts_by_default():
    assert plan([], []) == [
        ("onnx", "float32"),
        ("onnx", "int8"),
        ("tflite", "float32"),
        ("tflite", "float16"),
        ("tflite", "dynamic"),
        ("tflite", "int8"),
    ]
    assert plan(["onnx", "onnx"], []) == plan(["onnx"], [])


def test_a_quantization_picks_the_formats_that_have_it():
    assert plan([], ["float16"]) == [("tflite", "float16")]
    assert plan(["onnx"], ["int8"]) == [("onnx", "int8")]
    assert plan(["tflite", "onnx"], ["float16", "float32"]) == [
        ("tflite", "float32"),
        ("tflite", "float16"),
        ("onnx", "float32"),
    ]


def test_c_is_made_where_it_is_asked_for_and_after_the_tflite_that_it_holds():
    assert plan(["c"], []) == [("tflite", "int8"), ("c", "int8")]
    assert plan(["c", "onnx", "tflite"], ["int8"]) == [("onnx", "int8"), ("tflite", "int8"), ("c", "int8")]


@pytest.mark.parametrize(
    ("formats", "quantizations", "message"),
    [
        (["coreml"], [], "unknown format 'coreml'; allowed: c, onnx, tflite"),
        (["c"], ["float16"], "unknown quantization 'float16'; allowed: c: int8"),
        (["onnx"], ["float16"], "unknown quantization 'float16'; allowed: onnx: float32, int8"),
        (
            ["tflite", "c"],
            ["float32", "float16"],
            "^the format 'c' has no float32 or float16; allowed: int8; add one of these, or leave out the format$",
        ),
        (["tflite", "c"], ["float32", "int4"], "unknown quantization 'int4'; allowed: tflite: float32, .*; c: int8$"),
        ([], ["int4"], "unknown quantization 'int4'; allowed: onnx: float32, int8; tflite: "),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(formats, quantizations, message):
    with pytest.raises(UsageError, match=message):
        plan(formats, quantizations)
