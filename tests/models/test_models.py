import pytest

from toolkit import models, registry
from toolkit.errors import UsageError


def layer_table(model):
    return [(type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in model.layers]


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


def test_the_layer_table_of_the_mlp():
    model = models.build("mlp", input_shape=(28, 28, 1), classes=10)
    assert layer_table(model) == [("Flatten", (784,), 0), ("Dense", (128,), 100_480), ("Dense", (10,), 1_290)]
    assert model.count_params() == 101_770


@pytest.mark.parametrize("name", registry.names("toolkit.models"))
@pytest.mark.parametrize("activation", models.ACTIVATIONS)
def test_every_model_takes_any_image_shape_and_activation(name, activation):
    model = models.build(name, input_shape=(12, 16, 3), classes=4, activation=activation)
    assert model.input_shape == (None, 12, 16, 3)
    assert model.output_shape == (None, 4)
    hidden = [layer for layer in model.layers if hasattr(layer, "activation")][:-1]
    assert {layer.activation.__name__ for layer in hidden} == {activation}


def test_an_unknown_model_names_the_allowed_ones():
    with pytest.raises(UsageError, match="unknown model 'vgg'; allowed: cnn, mlp"):
        models.build("vgg", input_shape=(28, 28, 1), classes=10)
