"""What is tried next, by Optuna's tree-structured Parzen estimator, and which choices mattered.

A proposal depends on the seed, on its number and on what the others came to, and on nothing else. So Optuna keeps
nothing: a search that was killed goes on from the folders of its runs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.search import space
from toolkit.search.budgets import Budgets, Costs
from toolkit.search.space import Choice

# Proposals that are drawn at random before the estimator has something to go by; Optuna's own number.
AT_RANDOM = 10
# Of fewer ended runs nothing is said of what mattered: PED-ANOVA compares the best of them with the rest.
FEWEST_TO_WEIGH = 20
# Of accuracy, size and work.
_DIRECTIONS = ("maximize", "minimize", "minimize")


@dataclass(frozen=True)
class Observation:
    """A choice that was tried. accuracy: on the validation rows; 0 if it was too costly, None while it is trained."""

    choice: Choice
    costs: Costs
    accuracy: float | None


def propose(known: Sequence[Observation], budgets: Budgets, *, seed: int, number: int, attempt: int) -> Choice:
    """Return a choice. attempt: how many of this number were too costly.

    A network that misses a budget, or the accuracy, ranks below all that do not; the further it misses, the lower.
    """
    entropy = np.random.SeedSequence((seed, number, attempt)).generate_state(1)
    optuna = _optuna()
    # What is being trained counts as bad, so that two at a time are not the same.
    at_random = AT_RANDOM + sum(one.accuracy == 0 for one in known)
    sampler = optuna.samplers.TPESampler(seed=int(entropy[0]), n_startup_trials=at_random, constant_liar=True)
    study = _study(optuna, known, sampler=sampler, budgets=budgets)
    return Choice(**study.ask(_distributions(optuna)).params)


def importances(known: Sequence[Observation]) -> dict[str, float]:
    """Return how much each choice mattered for the accuracy, as shares of 1, the largest first; nothing of too few.

    By PED-ANOVA (Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
    Arbitrary Subspaces", IJCAI 2023).
    """
    ended = [one for one in known if one.accuracy is not None]
    if len(ended) < FEWEST_TO_WEIGH:
        return {}
    optuna = _optuna()
    shares: dict[str, float] = optuna.importance.get_param_importances(
        _study(optuna, ended, objectives=1), evaluator=optuna.importance.PedAnovaImportanceEvaluator()
    )
    return shares


def _optuna() -> Any:
    optuna = extras.load("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it tells of each study that is made
    return optuna


def _study(
    optuna: Any,
    known: Sequence[Observation],
    *,
    objectives: int = len(_DIRECTIONS),
    sampler: Any = None,
    budgets: Budgets | None = None,
) -> Any:
    """Return what Optuna knows. objectives: how many of accuracy, size and work count."""
    study = optuna.create_study(directions=_DIRECTIONS[:objectives], sampler=sampler)
    distributions = _distributions(optuna)
    states = optuna.trial.TrialState
    for one in known:
        ended = {} if one.accuracy is None else _ended(one, one.accuracy, objectives, budgets)
        state = states.COMPLETE if ended else states.RUNNING
        trial = optuna.trial.create_trial(state=state, params=asdict(one.choice), distributions=distributions, **ended)
        study.add_trial(trial)
    return study


def _ended(one: Observation, accuracy: float, objectives: int, budgets: Budgets | None) -> dict[str, Any]:
    """Return what Optuna knows of a choice that has a result; a constraint is met at 0."""
    values = [accuracy, one.costs.size_bytes, one.costs.work][:objectives]
    missed = 0.0 if budgets is None else budgets.missed(one.costs, accuracy)
    return {"values": values, "constraints": {"missed": missed}}


def _distributions(optuna: Any) -> dict[str, Any]:
    distributions = optuna.distributions
    return {
        "width": distributions.IntDistribution(*space.WIDTHS, log=True),
        "depth": distributions.IntDistribution(*space.DEPTHS),
        "kernel": distributions.CategoricalDistribution(space.KERNELS),
        "conv": distributions.CategoricalDistribution(space.CONVOLUTIONS),
        "reduce": distributions.CategoricalDistribution(space.REDUCTIONS),
        "learning_rate": distributions.FloatDistribution(*space.LEARNING_RATES, log=True),
    }
