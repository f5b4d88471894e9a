"""The learning rate of each epoch, and when a run has waited long enough for a better one."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.training.checkpoint import Epoch
    from toolkit.training.recipe import Recipe

SCHEDULES = ("constant", "cosine", "plateau")
# So many epochs without a better monitored value are a plateau, after which the rate is multiplied by the factor.
PLATEAU_EPOCHS = 5
PLATEAU_FACTOR = 0.5


def learning_rate(recipe: "Recipe", history: "Sequence[Epoch]", *, after: int = 0) -> float | None:
    """Return the rate of the epoch that follows ``history``, None where it is the recipe's in every epoch.

    after: the epochs before the present part of the training. The recipe and the finished epochs alone decide it, so a
    run that is gone on with has the same rates. While it warms up, it is the rate of the epoch's last step
    (``warm_up``); the schedule begins after that. cosine: half a period over all epochs, from the recipe's rate towards
    0 (Loshchilov and Hutter 2017, equation 5, without restarts). plateau: lower by the factor after each plateau, as
    Keras' ReduceLROnPlateau; a part in which the network rounds is worse than the one in float, so it has a best epoch
    of its own.
    """
    done = len(history) - recipe.warmup
    if done < 0:
        return recipe.learning_rate * (len(history) + 1) / recipe.warmup
    if recipe.schedule == "cosine":
        return recipe.learning_rate * (1 + math.cos(math.pi * done / (recipe.epochs - recipe.warmup))) / 2
    if recipe.schedule == "plateau":
        parts = history[recipe.warmup : after], history[max(recipe.warmup, after) :]
        return recipe.learning_rate * float(PLATEAU_FACTOR ** sum(_plateaus(recipe, part) for part in parts))
    return recipe.learning_rate if recipe.warmup else None


def warm_up(tf: Any, optimizer: Any, *, rate: float, steps: int) -> None:
    """Set the rate of the next step, while fewer than so many are made; it rises by the same amount with each.

    Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2. It is called within a compiled function. steps: 0
    for no warm-up.
    """
    if not steps:
        return
    done = tf.cast(optimizer.iterations, tf.float32)
    present = tf.convert_to_tensor(optimizer.learning_rate)
    optimizer.learning_rate = tf.where(done < steps, rate * (done + 1) / steps, present)


def is_patience_over(recipe: "Recipe", history: "Sequence[Epoch]", *, best_epoch: int) -> bool:
    """Say whether as many epochs have passed since the best one as the recipe has patience for."""
    return recipe.patience is not None and len(history) - best_epoch >= recipe.patience


def _plateaus(recipe: "Recipe", history: "Sequence[Epoch]") -> int:
    """Return how many plateaus there were. An epoch counts for one of them at most."""
    count, waited, best = 0, 0, -math.inf
    for epoch in history:
        value = recipe.monitor_sign * getattr(epoch, recipe.monitor)
        best, waited = (value, 0) if value > best else (best, waited + 1)
        if waited == PLATEAU_EPOCHS:
            count, waited = count + 1, 0
    return count
