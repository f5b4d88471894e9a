import pytest

from toolkit import models, registry
from toolkit.errors import UsageError


def layer_table(model):
    return [(type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in model.layers]


@pytest.mark.slow
def test_the_layer_table_of_the_cnn():
    model = models.build("cnn", input_shape=(28, 28, 1), classes=10)
    assert layer_table(model) == [
        ("Conv2D", (28, 28, 32), 320),
        ("MaxPooling2D", (14, 14, 32), 0),
        ("Conv2D", (14, 14, 64), 18_496),
        ("MaxPooling2D", (7, 7, 64), 0),
        ("Flatten", (3136,), 0),
        ("Dense", (128,), 401_536),
        ("Dense", (10,), 1_290),
    ]
    assert model.count_params() == 421_642


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "why"),
    [((30,), "the cnn takes pictures or windows, these are rows of 30 values"), ((28, 3, 1), "halves its input twice")],
)
def test_the_cnn_refuses_what_it_cannot_convolve(shape, why):
    with pytest.raises(UsageError, match=f"{why}.*; give --model mlp"):
        models.build("cnn", input_shape=shape, classes=10)


@pytest.mark.slow
def test_the_layer_table_of_the_mlp():
    model = models.build("mlp", input_shape=(28, 28, 1), classes=10)
    assert layer_table(model) == [("Flatten", (784,), 0), ("Dense", (128,), 100_480), ("Dense", (10,), 1_290)]
    assert model.count_params() == 101_770


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names("toolkit.models"))
@pytest.mark.parametrize("activation", models.ACTIVATIONS)
def test_every_model_takes_any_image_shape_and_activation(name, activation):
    model = models.build(name, input_shape=(12, 16, 3), classes=4, activation=activation)
    assert model.input_shape == (None, 12, 16, 3)
    assert model.output_shape == (None, 4)
    hidden = [layer for layer in model.layers if hasattr(layer, "activation")][:-1]
    # A convolution before a batch normalization leaves the activation to a layer of its own.
    assert {layer.activation.__name__ for layer in hidden} - {"linear"} == {activation}


@pytest.mark.slow
def test_an_unknown_model_names_the_allowed_ones():
    with pytest.raises(UsageError, match="unknown model 'vgg'; allowed: cnn, mlp, tiny"):
        models.build("vgg", input_shape=(28, 28, 1), classes=10)


def test_options_of_a_model_that_takes_none_are_refused():
    with pytest.raises(UsageError, match="the model 'cnn' takes no options, 'width=8' was given; give it as cnn"):
        models.check("cnn:width=8")


def test_a_family_is_recorded_with_all_of_its_options_and_called_by_its_name():
    whole = "tiny:width=8,depth=5,kernel=3,conv=plain,reduce=stride"
    assert models.check("tiny:reduce=stride, width=8") == whole
    assert models.check(whole) == whole
    assert [models.name_of(model) for model in (whole, "tiny", "cnn", "mine/own.py")] == ["tiny", "tiny", "cnn", "own"]
    assert [models.check(model) for model in ("cnn", "mine/own.py")] == ["cnn", "mine/own.py"]
