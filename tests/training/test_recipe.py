import pytest

from toolkit.entries import RecordedRecipe
from toolkit.errors import UsageError
from toolkit.files import documents
from toolkit.training.recipe import Recipe


def test_the_defaults_are_the_published_recipe():
    assert Recipe().to_json() == {
        "model": "cnn",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "activation": "relu",
        "loss": "categorical_crossentropy",
        "epochs": 100,
        "batch_size": 64,
        "validation_split": 0.2,
        "monitor": "val_loss",
        "seed": 0,
        "precision": "float32",
    }


def test_sgd_has_its_own_default_learning_rate():
    assert Recipe(optimizer="sgd").learning_rate == 0.01


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "vgg"}, "unknown model 'vgg'; allowed: cnn, mlp"),
        ({"optimizer": "lion"}, "allowed: adam, sgd"),
        ({"activation": "step"}, "allowed: relu, sigmoid"),
        ({"loss": "hinge"}, "allowed: categorical_crossentropy, mse, binary_crossentropy"),
        ({"monitor": "test_loss"}, "allowed: val_loss"),
        ({"precision": "half"}, "allowed: float32, mixed"),
        ({"learning_rate": -1.0}, "must be above 0 and at most 10"),
        ({"learning_rate": 10.1}, "the learning rate is 10.1; it must be above 0 and at most 10"),
        ({"learning_rate": float("nan")}, "must be above 0"),
        ({"epochs": 0}, "the number of epochs is 0; it must be from 1 to 1,000,000"),
        ({"epochs": 2**31}, "the number of epochs is 2,147,483,648; it must be from 1 to"),
        ({"batch_size": 0}, "the batch size is 0; it must be from 1 to 1,000,000"),
        ({"batch_size": 10**80}, "it must be from 1 to 1,000,000"),
        ({"seed": -1}, "the seed is -1; it must be from 0 to 4,294,967,295"),
        ({"validation_split": 1.0}, "from 0 to below 1"),
        ({"validation_split": 0.0}, "use --monitor loss"),
        ({"patience": 0}, "the patience, in epochs, is 0; it must be from 1 to 1,000,000"),
        ({"schedule": "step"}, "unknown schedule 'step'; allowed: constant, cosine, plateau"),
        ({"augment": "shift,spin"}, "unknown augmentation 'spin'; allowed"),
        ({"warmup": -1}, "the warm-up takes -1 of 100 epochs; it must be at least 0, and end before the training"),
        ({"warmup": 3, "epochs": 3}, "the warm-up takes 3 of 3 epochs"),
        ({"average": 1.0}, "the decay of the average is 1.0; it must be above 0 and below 1, such as 0.999"),
        ({"average": float("nan")}, "above 0 and below 1"),
        ({"label_smoothing": 1.0}, "the label smoothing is 1.0; it must be from 0 to below 1, such as 0.1"),
        (
            {"label_smoothing": 0.1, "loss": "mse"},
            "--label-smoothing is for the loss categorical_crossentropy; leave out",
        ),
        ({"teacher": "t", "loss": "mse"}, "--teacher is for the loss categorical_crossentropy; leave out --loss mse"),
        ({"teacher": "t", "temperature": 0.0}, "the temperature is 0.0; it must be from 0.1 to 100, such as 4"),
        ({"teacher": "t", "temperature": 1e9}, "the temperature is 1000000000.0; it must be from 0.1 to 100"),
        (
            {"input_range": "0..255"},
            "--input-range is for a model of your own, the model 'cnn' takes 0..1; leave it out",
        ),
        ({"model": "own.keras", "input_range": "0-255"}, "--input-range is '0-255'; allowed: LOW..HIGH"),
        (
            {"teacher": "t", "teacher_weight": 1.5},
            "the weight of the teacher is 1.5; it must be above 0, and at most 1",
        ),
        ({"temperature": 2.0}, "--temperature is of a teacher; name a run or a .keras file by --teacher"),
        ({"teacher_weight": 0.5}, "--teacher-weight is of a teacher"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        Recipe(**wrong)


def test_the_mode_of_the_monitor_is_automatic():
    assert Recipe(monitor="val_accuracy").monitor_sign == 1
    assert Recipe(monitor="loss").monitor_sign == -1


def test_what_is_added_to_the_plain_recipe_is_recorded_and_told():
    asked = Recipe(augment="flip,shift", patience=3, schedule="plateau", balance=True)
    added = {"augment": "shift=0.1,flip", "patience": 3, "schedule": "plateau", "balance": True}
    assert asked.to_json() == {**Recipe().to_json(), **added}
    assert asked.additions == (
        "augmented by shift=0.1, flip",
        "balanced classes",
        "plateau schedule",
        "patience of 3 epochs",
    )
    assert Recipe(**asked.to_json()) == asked
    assert Recipe().additions == ()


def test_what_a_small_network_is_trained_with_is_recorded_and_told():
    asked = Recipe(warmup=2, average=0.999, label_smoothing=0.1, teacher="far/big.keras", temperature=2.0)
    added = {"warmup": 2, "average": 0.999, "label_smoothing": 0.1, "teacher": "big.keras", "temperature": 2.0}
    assert asked.to_json() == {**Recipe().to_json(), **added}
    assert asked.additions == (
        "warm-up of 2 epochs",
        "weights averaged with decay 0.999",
        "labels smoothed by 0.1",
        "taught by big.keras (weight 0.9, temperature 2)",
    )


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(augment="zoom", patience=2, schedule="cosine", balance=True)])
def test_a_manifest_keeps_all_of_a_recipe(recipe):
    recorded = documents.convert(recipe.to_json(), RecordedRecipe, "manifest.json", what="a manifest")
    assert documents.to_tree(recorded) == recipe.to_json()
