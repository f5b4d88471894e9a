"""Each claim on histories that were made up so that the verdict is known."""

from dataclasses import replace

import pytest

from tests.study.made_up import SMALL, plausible, study
from toolkit import registry
from toolkit.study import claims
from toolkit.study.claims import (
    adam_needs_fewer_epochs,
    cross_entropy_beats_mse,
    larger_rate_is_faster,
    relu_gradients_do_not_vanish,
    sigmoid_hardly_learns,
)
from toolkit.study.claims.base import ClaimVerdict
from toolkit.study.trials import TrialState

EARLY, LATE, NEVER = [0.96] * 4, [0.2, 0.5, 0.9, 0.96], [0.1, 0.2, 0.3, 0.4]


def test_every_claim_is_weighed_and_says_its_criterion():
    findings = claims.weigh(study(plausible))
    assert [finding.letter for finding in findings] == ["a", "b", "c", "d", "e"]
    assert len(registry.names("toolkit.study.claims")) == 5
    for finding in findings:
        assert len(finding.criterion) > 200
        assert finding.to_json()["verdict"] in (
            ClaimVerdict.HOLDS,
            ClaimVerdict.FAILS,
            ClaimVerdict.DEPENDS,
            ClaimVerdict.UNDECIDED,
        )


def test_a_study_of_one_value_a_side_decides_nothing():
    grid = replace(SMALL, optimizer=("adam",), activation=("relu",), learning_rate=(0.01,), loss=("mse",))
    assert {finding.verdict for finding in claims.weigh(study(plausible, grid))} == {ClaimVerdict.UNDECIDED}


def test_runs_that_have_not_ended_have_no_part():
    findings = claims.weigh(study(lambda recipe: {"accuracies": [0.5], "state": TrialState.UNFINISHED}))
    assert {finding.verdict for finding in findings} == {ClaimVerdict.UNDECIDED}
    assert {finding.left_out for finding in findings} == {24}


class TestAdamNeedsFewerEpochs:
    def test_it_holds_where_sgd_is_later(self):
        finding = adam_needs_fewer_epochs.weigh(study(lambda recipe: LATE if recipe.optimizer == "sgd" else EARLY))
        assert finding.verdict == ClaimVerdict.HOLDS
        assert finding.judgement.figure.value == 3.0
        assert finding.figure == "epochs that SGD needs more: median +3 (95 % interval +3 to +3, 12 configurations)"

    def test_it_does_not_hold_where_sgd_is_earlier(self):
        finding = adam_needs_fewer_epochs.weigh(study(lambda recipe: EARLY if recipe.optimizer == "sgd" else LATE))
        assert (finding.verdict, finding.judgement.figure.value) == (ClaimVerdict.FAILS, -3.0)

    def test_one_that_never_gets_there_needs_at_least_one_epoch_more_than_it_was_given(self):
        finding = adam_needs_fewer_epochs.weigh(study(lambda recipe: NEVER if recipe.optimizer == "sgd" else EARLY))
        assert (finding.verdict, finding.judgement.figure.value) == (ClaimVerdict.HOLDS, 4.0)

    def test_nothing_is_said_where_neither_gets_there_or_both_do_at_once(self):
        assert adam_needs_fewer_epochs.weigh(study(lambda recipe: NEVER)).judgement.decided == 0
        assert adam_needs_fewer_epochs.weigh(study(lambda recipe: EARLY)).judgement.decided == 0

    def test_it_depends_on_the_learning_rate_where_the_largest_turns_it_round(self):
        def story(recipe):
            return LATE if (recipe.optimizer == "sgd") == (recipe.learning_rate < 0.1) else EARLY

        finding = adam_needs_fewer_epochs.weigh(study(story))
        assert finding.verdict == ClaimVerdict.DEPENDS
        assert [cell.supporting for cell in finding.judgement.depends_on] == [4, 4, 0]
        assert "learning rate 0.1 0 of 4" in finding.summary

    def test_each_at_its_own_fastest_rate_is_told_beside(self):
        def story(recipe):
            fast = {"adam": 0.001, "sgd": 0.1}[recipe.optimizer]
            return EARLY if recipe.learning_rate == fast else NEVER

        table = adam_needs_fewer_epochs.weigh(study(story)).tables[1]
        assert table.rows[0][:4] == ("95 %", "0", "0", "4")

    def test_seeds_of_a_configuration_are_one_case(self):
        def story(recipe):
            return LATE if recipe.optimizer == "sgd" and recipe.seed < 2 else EARLY

        judgement = adam_needs_fewer_epochs.weigh(study(story, replace(SMALL, seeds=3))).judgement
        assert (judgement.decided, judgement.supporting) == (12, 12)
        assert judgement.figure.value == 3.0  # the median of 3, 3 and 0


class TestSigmoidHardlyLearns:
    def story(self, *hardly):
        return lambda recipe: (
            NEVER
            if recipe.activation == "sigmoid" and recipe.learning_rate == 0.001 and recipe.optimizer in hardly
            else EARLY
        )

    def test_it_holds_where_none_learns(self):
        finding = sigmoid_hardly_learns.weigh(study(self.story("adam", "sgd")))
        assert (finding.verdict, finding.judgement.decided) == (ClaimVerdict.HOLDS, 4)
        assert finding.judgement.figure.value == pytest.approx(0.4)

    def test_it_does_not_hold_where_all_learn(self):
        assert sigmoid_hardly_learns.weigh(study(self.story())).verdict == ClaimVerdict.FAILS

    def test_it_depends_on_the_optimizer(self):
        finding = sigmoid_hardly_learns.weigh(study(self.story("sgd")))
        assert (finding.verdict, [cell.supporting for cell in finding.judgement.depends_on]) == (
            ClaimVerdict.DEPENDS,
            [0, 2],
        )

    def test_the_runs_with_relu_stand_beside(self):
        table = sigmoid_hardly_learns.weigh(study(self.story("sgd"))).tables[0]
        assert table.headings == ("best validation accuracy, learning rate 0.001", "sigmoid", "ReLU")
        assert table.rows[2] == ("MLP, SGD, cross-entropy", "40.00 %", "96.00 %")

    def test_half_the_way_from_chance_is_55_percent_of_ten_classes(self):
        below, above = (study(lambda recipe, best=best: [best]) for best in (0.549, 0.551))
        assert sigmoid_hardly_learns.weigh(below).verdict == ClaimVerdict.HOLDS
        assert sigmoid_hardly_learns.weigh(above).verdict == ClaimVerdict.FAILS


class TestReluGradientsDoNotVanish:
    def story(self, *, relu=EARLY, relu_first=1.0, sigmoid=NEVER, sigmoid_first=0.01):
        def told(recipe):
            is_relu = recipe.activation == "relu"
            first = relu_first if is_relu else sigmoid_first
            return {"accuracies": relu if is_relu else sigmoid, "gradients": [(first * 2, 2.0)] * 5}

        return study(told)

    def test_it_holds_where_relu_learns_and_only_the_gradient_of_sigmoid_vanishes(self):
        finding = relu_gradients_do_not_vanish.weigh(self.story())
        assert (finding.verdict, finding.judgement.decided) == (ClaimVerdict.HOLDS, 4)
        assert finding.judgement.figure.value == pytest.approx(100)
        assert finding.figure.endswith("with sigmoid: median 100× (range 100× to 100×, 4 configurations)")

    def test_it_does_not_hold_where_relu_does_not_learn(self):
        assert relu_gradients_do_not_vanish.weigh(self.story(relu=NEVER)).verdict == ClaimVerdict.FAILS
        assert (
            relu_gradients_do_not_vanish.weigh(self.story(relu=NEVER, sigmoid_first=1.0)).verdict == ClaimVerdict.FAILS
        )

    def test_it_does_not_hold_where_the_gradient_of_relu_vanishes_too(self):
        assert relu_gradients_do_not_vanish.weigh(self.story(relu_first=0.09)).verdict == ClaimVerdict.FAILS

    def test_a_sigmoid_whose_gradient_does_not_vanish_says_nothing(self):
        judgement = relu_gradients_do_not_vanish.weigh(self.story(sigmoid_first=0.11)).judgement
        assert (judgement.decided, len(judgement.cases)) == (0, 4)

    def test_what_comes_after_it_has_learned_has_no_part(self):
        """Half of the way is passed in epoch 3: the gradients before training and after epochs 1 and 2 count."""
        rows = [(1.0, 1.0), (0.1, 1.0), (0.01, 1.0), (1e-9, 1.0), (1e-9, 1.0)]
        of = study(lambda recipe: {"accuracies": LATE, "gradients": rows})
        assert relu_gradients_do_not_vanish.comes_through(of, of.outcomes[0]) == pytest.approx(0.1)
        never = study(lambda recipe: {"accuracies": NEVER, "gradients": rows[:3] * 2})
        assert relu_gradients_do_not_vanish.comes_through(never, never.outcomes[0]) == pytest.approx(0.1**0.8)

    def test_gradients_that_were_not_measured_or_are_no_number_decide_nothing(self):
        unmeasured = study(lambda recipe: EARLY)
        assert relu_gradients_do_not_vanish.weigh(unmeasured).judgement.decided == 0
        assert relu_gradients_do_not_vanish.weigh(self.story(relu_first=float("nan"))).judgement.decided == 0


class TestLargerRateIsFaster:
    def test_it_holds_where_larger_is_faster_and_the_largest_diverges(self):
        def story(recipe):
            if recipe.learning_rate == 0.1:
                return {"accuracies": [], "state": TrialState.DIVERGED}
            return LATE if recipe.learning_rate == 0.001 else EARLY

        finding = larger_rate_is_faster.weigh(study(story))
        assert (finding.verdict, finding.judgement.figure.value) == (ClaimVerdict.HOLDS, 3.0)
        assert finding.figure.startswith("the larger rate became unstable or missed the minimum in 8 of 16 pairs; ")
        assert finding.tables[0].rows[0] == ("0.001 → 0.01", "Adam", "4", "0", "0", "0", "0", "0")
        assert finding.tables[0].rows[2] == ("0.01 → 0.1", "Adam", "0", "0", "0", "4", "0", "0")

    def test_a_pair_that_went_wrong_says_nothing_of_speed(self):
        def story(recipe):
            return EARLY if recipe.learning_rate == 0.001 else {"accuracies": [], "state": TrialState.DIVERGED}

        finding = larger_rate_is_faster.weigh(study(story))
        assert (finding.verdict, finding.judgement.decided) == (ClaimVerdict.UNDECIDED, 0)
        assert finding.tables[0].rows[2][-1] == "4"  # of 0.01 → 0.1: the smaller rate diverged already

    def test_it_does_not_hold_where_no_larger_rate_was_unstable(self):
        finding = larger_rate_is_faster.weigh(study(lambda recipe: [0.1 + recipe.learning_rate * 8] * 4))
        assert finding.verdict == ClaimVerdict.FAILS
        assert finding.summary.endswith("But no larger rate became unstable or missed the minimum")

    def test_it_does_not_hold_where_larger_is_slower(self):
        finding = larger_rate_is_faster.weigh(
            study(
                lambda recipe: {0.001: EARLY, 0.01: [0.9, *EARLY[1:]], 0.1: [0.9, 0.9, 0.96, 0.96]}[
                    recipe.learning_rate
                ]
            )
        )
        assert finding.verdict == ClaimVerdict.FAILS

    @pytest.mark.parametrize(
        ("small", "large", "effect"),
        [
            (LATE, EARLY, "faster"),
            (EARLY, LATE, "slower"),
            (EARLY, EARLY, "same epoch"),
            ([0.96, 0.8, 0.96, 0.96], [0.96, 0.7, 0.96, 0.96], "the smaller rate unstable"),
            (NEVER, EARLY, "faster"),
            (EARLY, [0.94] * 4, "missed the minimum"),
            ([0.955] * 4, [0.9, 0.9, 0.9, 0.949], "slower"),
            (LATE, [0.96, 0.9, 0.96, 0.96], "unstable"),
            (NEVER, [0.1, 0.2, 0.3, 0.5], "faster"),
            (NEVER, [0.1, 0.2, 0.3, 0.395], "slower"),
        ],
    )
    def test_what_a_larger_rate_does(self, small, large, effect):
        def story(recipe):
            return small if recipe.learning_rate == 0.001 else large

        grid = replace(
            SMALL, optimizer=("adam",), activation=("relu",), loss=("mse",), learning_rate=(0.001, 0.01)
        )  # fmt: skip
        slow, fast = study(story, grid).outcomes
        assert larger_rate_is_faster.effect(slow, fast) == effect


class TestCrossEntropyBeatsMse:
    def finding(self, cross_entropy, mse):
        def story(recipe):
            return {"accuracies": EARLY, "test": mse if recipe.loss == "mse" else cross_entropy}

        return cross_entropy_beats_mse.weigh(study(story))

    def test_it_holds_where_it_is_ahead_by_more_than_chance(self):
        finding = self.finding(0.97, 0.96)
        assert (finding.verdict, finding.judgement.decided) == (ClaimVerdict.HOLDS, 12)
        assert finding.judgement.figure.value == pytest.approx(1.0)

    def test_it_does_not_hold_the_other_way_round(self):
        assert self.finding(0.96, 0.97).verdict == ClaimVerdict.FAILS

    def test_a_difference_that_chance_makes_decides_nothing(self):
        """Of 10,000 images, 1.96 standard errors of 0.960 beside 0.955 are 0.0056."""
        assert self.finding(0.960, 0.955).judgement.decided == 0
        assert self.finding(0.960, 0.954).judgement.decided == 12

    def test_a_run_that_diverged_counts_as_chance(self):
        def story(recipe):
            return {"accuracies": [], "state": TrialState.DIVERGED} if recipe.loss == "mse" else [0.6]

        assert cross_entropy_beats_mse.weigh(study(story)).judgement.figure.value == pytest.approx(50.0)
