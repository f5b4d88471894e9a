from itertools import pairwise

import pytest

from toolkit import models
from toolkit.errors import UsageError
from toolkit.models.tiny import ALLOWED, TinyShape


def layer_table(text, input_shape=(28, 28, 1)):
    model = models.build(text, input_shape=input_shape, classes=10)
    return [(layer.name, layer.output.shape[1:]) for layer in model.layers if "norm" not in layer.name], model


@pytest.mark.slow
def test_the_default_tiny_network_has_five_blocks_and_8594_parameters():
    table, model = layer_table("tiny")
    assert table == [
        ("conv_1", (28, 28, 8)),
        ("act_1", (28, 28, 8)),
        ("pool_1", (14, 14, 8)),
        ("conv_2", (14, 14, 16)),
        ("act_2", (14, 14, 16)),
        ("pool_2", (7, 7, 16)),
        ("conv_3", (7, 7, 16)),
        ("act_3", (7, 7, 16)),
        ("conv_4", (7, 7, 16)),
        ("act_4", (7, 7, 16)),
        ("conv_5", (7, 7, 16)),
        ("act_5", (7, 7, 16)),
        ("mean", (16,)),
        ("probabilities", (10,)),
    ]
    weights = sum(9 * given * out for given, out in pairwise((1, 8, 16, 16, 16, 16)))
    assert model.count_params() == weights + 4 * (8 + 4 * 16) + 16 * 10 + 10 == 8_594


@pytest.mark.slow
def test_a_tiny_network_can_have_separable_convolutions_and_strides():
    table, model = layer_table("tiny:width=8,depth=3,kernel=5,conv=separable,reduce=stride")
    assert [row for row in table if "act" not in row[0]] == [
        ("conv_1", (14, 14, 8)),
        ("depthwise_2", (7, 7, 8)),
        ("conv_2", (7, 7, 16)),
        ("depthwise_3", (7, 7, 16)),
        ("conv_3", (7, 7, 16)),
        ("mean", (16,)),
        ("probabilities", (10,)),
    ]
    assert [layer.kernel_size for layer in model.layers if hasattr(layer, "kernel_size")] == [
        *((5, 5), (5, 5), (1, 1), (5, 5), (1, 1))
    ]
    assert not any(layer.use_bias for layer in model.layers if hasattr(layer, "kernel_size"))


@pytest.mark.slow
@pytest.mark.parametrize("reduce", ["pool", "stride"])
def test_windows_are_convolved_along_their_steps_alone(reduce):
    table, model = layer_table(f"tiny:width=6,depth=3,conv=separable,reduce={reduce}", (20, 3))
    assert [shape for name, shape in table if "act" in name] == [
        *(((20 if reduce == "pool" else 10), 1, 6), (10 if reduce == "pool" else 5, 1, 6)),
        *((10 if reduce == "pool" else 5, 1, 12), (5, 1, 12), (5, 1, 12)),
    ]
    assert {layer.kernel_size for layer in model.layers if hasattr(layer, "kernel_size")} == {(3, 1), (1, 1)}


@pytest.mark.slow
def test_a_side_of_a_tiny_network_is_halved_down_to_4_only():
    table, _ = layer_table("tiny:depth=8", (9, 40, 1))
    assert [shape for name, shape in table if "pool" in name] == [(4, 20, 8)]


@pytest.mark.slow
def test_a_tiny_network_refuses_rows_of_values():
    with pytest.raises(UsageError, match="these are rows of 7 values; give --model mlp"):
        models.build("tiny", input_shape=(7,), classes=2)


def test_a_shape_is_read_back_from_its_text():
    for shape in (TinyShape(), TinyShape(width=64, depth=1, kernel=7, conv="separable", reduce="stride")):
        assert TinyShape.parse(str(shape)) == shape
    assert str(TinyShape(depth=2)) == "width=8,depth=2,kernel=3,conv=plain,reduce=pool"
    assert tuple(ALLOWED) == tuple(TinyShape.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("width=0", "width=0"),
        ("width=65", "width=65"),
        ("width=8.0", "width=8.0"),
        ("width=08", "width=08"),
        ("width", "width"),
        ("depth=9", "depth=9"),
        ("kernel=4", "kernel=4"),
        ("conv=dense", "conv=dense"),
        ("wide=8", "wide=8"),
        ("width=8,width=8", "width=8"),
        ("width=8,", ""),
        ("", ""),
    ],
)
def test_an_option_that_is_none_names_what_is_allowed(text, wrong):
    with pytest.raises(UsageError) as error:
        models.check(f"tiny:{text}")
    assert str(error.value) == (
        f"tiny takes no '{wrong}'; allowed after its colon, each once and with commas: width=1 to 64, depth=1 to 8, "
        "kernel=3|5|7, conv=plain|separable, reduce=pool|stride"
    )


def test_a_shape_made_by_a_program_is_checked_too():
    with pytest.raises(UsageError, match="tiny takes no 'depth=0'"):
        TinyShape(depth=0)
