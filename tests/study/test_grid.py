import json
from dataclasses import asdict

import pytest

from toolkit.errors import UsageError
from toolkit.files import documents
from toolkit.study.grid import Grid, make
from toolkit.training.recipe import Recipe


def test_the_full_grid_is_the_published_comparison():
    recipes = Grid().recipes()
    assert len(recipes) == len(set(recipes)) == 2 * 2 * 2 * 3 * 2
    assert Recipe(model="mlp", optimizer="sgd", activation="sigmoid", learning_rate=0.01, loss="mse") in recipes
    assert {(recipe.epochs, recipe.batch_size, recipe.validation_split) for recipe in recipes} == {(100, 64, 0.2)}


def test_all_of_the_first_seed_come_before_the_second():
    seeds = [recipe.seed for recipe in Grid(seeds=3).recipes()]
    assert seeds == sorted(seeds)
    assert seeds.count(2) == 48


def test_each_model_can_have_epochs_of_its_own():
    grid = Grid(epochs=(20, 100))
    assert {(recipe.model, recipe.epochs) for recipe in grid.recipes()} == {("cnn", 20), ("mlp", 100)}
    assert grid.describe_epochs() == "20 epochs each of the CNN, 100 epochs each of the MLP"
    assert Grid(epochs=(1,)).describe_epochs() == "1 epoch each"


def test_a_range_of_pixels_is_that_of_the_models_of_one_s_own():
    grid = make({"model": ("mlp", "my_net.py"), "input_range": "0..255"})
    assert {(one.model, one.input_range) for one in grid.recipes()} == {("mlp", None), ("my_net.py", "0..255")}
    assert documents.convert(json.loads(json.dumps(documents.to_tree(grid))), Grid, "here", what="a grid") == grid
    assert "input_range" not in documents.to_tree(Grid())


def test_the_quick_grid_has_every_axis_but_the_model():
    assert len(make({}, quick=True).recipes()) == 24


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"optimizer": ("adam", "adam")},
            "the values of optimizer are 'adam', 'adam'; name at least one, and each once",
        ),
        ({"loss": ()}, "the values of loss are none"),
        ({"model": ("a/my_net.py", "b/my_net.py")}, "the values of model are 'a/my_net.py', 'b/my_net.py'; name at"),
        ({"model": ("vgg",)}, "unknown model 'vgg'; allowed: cnn, mlp"),
        ({"learning_rate": (0.0, 0.1)}, "a study needs the numbers"),
        ({"seeds": 0}, "the number of seeds is 0; it must be at least 1"),
        ({"epochs": (0,)}, "the number of epochs is 0; it must be from 1 to 1,000,000"),
        ({"epochs": (5, 5, 5)}, "3 numbers of epochs are given for 2 models; give one, or one for each"),
        ({"epochs": ()}, "0 numbers of epochs"),
        (
            {"model": ("mlp",), "input_range": "0..255"},
            "--input-range is for a model of your own, the model 'mlp' takes",
        ),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        Grid(**wrong)


def test_a_grid_is_read_as_it_was_written():
    grid = Grid(model=("mlp",), learning_rate=(0.5,), seeds=2, epochs=(3,))
    assert documents.convert(json.loads(json.dumps(asdict(grid))), Grid, "here", what="a grid") == grid


def test_members_of_a_family_are_compared_and_none_twice():
    grid = make({"model": ("tiny:depth=2", "tiny"), "epochs": (5, 7)})
    assert [(one.model.split(",")[1], one.epochs) for one in grid.recipes()[::12]] == [("depth=2", 5)] * 2 + [
        ("depth=5", 7)
    ] * 2
    with pytest.raises(UsageError, match="each once"):
        make({"model": ("tiny", "tiny:depth=5")})
