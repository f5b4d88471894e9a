"""Studies with made-up histories, whose verdicts are known beforehand."""

import math
from pathlib import Path

from toolkit.entries import Metrics
from toolkit.files import write_text
from toolkit.runs import BEST
from toolkit.study import trials
from toolkit.study.grid import Grid
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import TrialState
from toolkit.training.checkpoint import Epoch, TrainingProgress
from toolkit.training.recipe import Recipe

DIGESTS = {"train_images": "1", "train_labels": "2", "test_images": "3", "test_labels": "4"}
DATA = {
    "name": "made-up",
    "origin": "tests",
    "digests": DIGESTS,
    "classes": 10,
    "training_rows": 800,
    "validation_rows": 200,
    "test_rows": 10_000,
    "overlap": [],
}
HOST = {"cpu": "a CPU", "cores": 2}
SMALL = Grid(model=("mlp",), epochs=(4,))


def progress(accuracies, *, losses=None, gradients=()) -> TrainingProgress:
    """An epoch of 2 s for each validation accuracy; gradients: (first, last) norms, one more than epochs."""
    losses = losses or [1 - accuracy for accuracy in accuracies]
    history = [
        Epoch(number, loss, accuracy, loss, accuracy, 2.0)
        for number, (accuracy, loss) in enumerate(zip(accuracies, losses, strict=True), 1)
    ]
    rows = [{"epoch": n, "dense_1": first, "probabilities": last} for n, (first, last) in enumerate(gradients)]
    if not history:
        return TrainingProgress([], rows)
    best = min(history, key=lambda epoch: epoch.val_loss)
    return TrainingProgress(history, rows, best.epoch, best.val_loss)


def study(story, grid: Grid = SMALL, folder: Path = Path("runs/made-up")) -> Study:
    """A study in which ``story(recipe)`` tells of each run: its accuracies, or a dict with more of it."""
    return Study(
        folder,
        grid,
        DATA,
        HOST,
        (1,),
        tuple(_outcome(trial, story) for trial in trials.grid_trials(grid, DIGESTS, folder)),
    )


def _outcome(trial, story) -> TrialOutcome:
    told = story(trial.recipe)
    told = told if isinstance(told, dict) else {"accuracies": told}
    state = told.pop("state", TrialState.FINISHED)
    test = told.pop("test", max(told["accuracies"], default=0.0))
    done, best = len(told["accuracies"]), max(told["accuracies"], default=0.0)
    metrics = Metrics(done, done, "val_accuracy", best, test) if state == TrialState.FINISHED else None
    if trial.folder.parent.is_dir():  # of a study on the disk
        write_text(trial.folder / BEST, f"weights of {trial.folder.name}")
    return TrialOutcome(trial, state, progress(**told), metrics, "" if metrics else f"it is {state}")


def plausible(recipe: Recipe) -> dict:
    """Something like what a study measures: slow rates learn slowly, the largest rate with Adam diverges."""
    if recipe.optimizer == "adam" and recipe.learning_rate == 0.1 and recipe.activation == "relu":
        return {"accuracies": [0.4, 0.3], "gradients": [(1.0, 1.0)] * 3, "state": TrialState.DIVERGED}
    speed = recipe.learning_rate * (100 if recipe.optimizer == "adam" else 8) * (1.0 + 0.1 * recipe.seed)
    if recipe.activation == "sigmoid":
        speed /= 3
    accuracies = [0.1 + 0.895 * (1 - math.exp(-speed * epoch * 3)) for epoch in range(1, recipe.epochs + 1)]
    through = 0.5 if recipe.activation == "relu" else 0.05
    return {"accuracies": accuracies, "gradients": [(through / (1 + n), 1 / (1 + n)) for n in range(recipe.epochs + 1)]}
