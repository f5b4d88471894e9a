"""The model and the optimizer that a recipe asks for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolkit import models
from toolkit.convention import Convention, Layout
from toolkit.data.base.parts import Parts
from toolkit.errors import UsageError
from toolkit.runs import FED
from toolkit.runtimes.keras.loading import allowing, load_model
from toolkit.training import inputs, quantization, transfer
from toolkit.training.average import Average
from toolkit.training.normalization import normalized
from toolkit.training.recipe import Recipe


@dataclass(frozen=True)
class Learner:
    """All that a training changes. average: of the model's weights, None if none is asked for.

    convention: what the model takes.
    """

    model: Any
    optimizer: Any
    average: Average | None
    convention: Convention

    @property
    def variables(self) -> dict[str, Any]:
        """Every variable, by the name that a state file has for it."""
        owners = {"model": self.model, "optimizer": self.optimizer, "average": self.average}
        present = {name: owner for name, owner in owners.items() if owner is not None}
        return {
            f"{name}_{number}": one for name, owner in present.items() for number, one in enumerate(owner.variables)
        }

    @property
    def words(self) -> tuple[str, ...]:
        """What is told of what it takes, where that is not pixels from 0 to 1."""
        plain = self.convention.layout == Layout.VALUES or str(self.convention) == str(FED)
        return () if plain else (f"pixels as {self.convention}",)

    def follow(self) -> None:
        """Let the average follow a step. It is called within a compiled function."""
        if self.average is not None:
            self.average.update()

    def kept_weights(self) -> AbstractContextManager[None]:
        """Let the model have the weights that are validated and kept in a block: the averages, if there are any."""
        return nullcontext() if self.average is None else self.average.in_place()


def build(
    tf: Any,
    keras: Any,
    recipe: Recipe,
    parts: Parts,
    *,
    warn: Callable[[str], None],
    in_float: Path | None = None,
    tries_range: bool = False,
) -> Learner:
    """Return the model of a recipe, not trained yet or as the recipe's Keras file has it, with what trains it.

    in_float: what the recipe itself has trained in float, if the model is to go on from there with rounding.
    tries_range: whether it is tried on training images which range of pixels a Keras file takes.
    """
    if models.weights_files(recipe.model):
        model, convention = transfer.start(keras, recipe, parts, tries_range=tries_range, warn=warn)
    elif in_float is None:
        with allowing(recipe.code_files):
            model, convention = _new(keras, recipe, parts, warn=warn)
    else:
        with allowing(recipe.code_files):
            model = load_model(in_float)
        convention = inputs.recipe_convention(model, recipe, parts.dataset)
    if recipe.qat:
        # Steps of other values are not those that it rounds to.
        if str(convention) != str(FED.taking(parts.dataset.train.images)):
            raise UsageError(
                f"--qat is for models that take pixels as {FED}; {recipe.model} takes them as {convention}"
            )
        if in_float is not None or models.weights_files(recipe.model):
            model = quantization.fake_quantized(keras, model, parts)
        else:
            quantization.check(keras, model)
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    optimizer = kinds[recipe.optimizer](learning_rate=recipe.learning_rate)
    optimizer.build(model.trainable_variables)
    average = None
    if recipe.average is not None:
        average = Average(tf, keras, model=model, optimizer=optimizer, decay=recipe.average)
    return Learner(model, optimizer, average, convention)


def float32_model(keras: Any, recipe: Recipe, parts: Parts) -> Any:
    """Return the model of a recipe as it is in float32, whatever the recipe computes in."""
    return _new(keras, replace(recipe, precision="float32"), parts, warn=lambda text: None)[0]


def _new(keras: Any, recipe: Recipe, parts: Parts, *, warn: Callable[[str], None]) -> tuple[Any, Convention]:
    """Return the model of a recipe without weights to start from, and what it takes."""
    # bfloat16 has the exponents of float32, so it needs no loss scaling; its arithmetic is in GPUs from compute
    # capability 8.0 and in CPUs with AVX512-BF16 or AMX.
    keras.config.set_dtype_policy("float32" if recipe.precision == "float32" else "mixed_bfloat16")
    dataset, path = parts.dataset, Path(recipe.model)
    try:
        model = models.build(
            recipe.model, input_shape=dataset.input_shape, classes=dataset.classes, activation=recipe.activation
        )
        transfer.check_input(model, path, dataset)
        convention = inputs.recipe_convention(model, recipe, dataset)
        if recipe.code_files:
            model = transfer.ending_in_probabilities(keras, model, path, dataset, convention, recipe, warn=warn)
        return normalized(keras, model, parts), convention
    finally:
        keras.config.set_dtype_policy("float32")
