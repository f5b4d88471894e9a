"""A search by latency, which is measured: it is no question of size alone, has an error, and belongs to a CPU."""

from dataclasses import replace

import pytest

from tests.search.made_up import ASKED, Costing, Learned, choice, takes
from tests.search.test_conduct import carry_out, choices, learn
from toolkit.errors import RunError, UsageError
from toolkit.search import conduct, search, space
from toolkit.search.budgets import Budgets, MeasuredCost
from toolkit.search.conduct import Limits

pytestmark = pytest.mark.usefixtures("closed")


class Timed(Costing):
    """Knows a latency too, which a network of 3 to 5 channels exceeds, and no other."""

    def costs_of(self, model):
        costs = super().costs_of(model)
        latency_s = 90e-6 if 15_000 <= costs.macs <= 25_000 else 10e-6
        return replace(costs, latency_s=MeasuredCost(latency_s, latency_s, latency_s, "a CPU"))


@pytest.fixture
def one_kind(monkeypatch):
    """Networks that differ in their width alone; one of 4 channels is tried first, and the rest are proposed."""
    for name, values in {
        "DEPTHS": (2, 2),
        "KERNELS": (3,),
        "CONVOLUTIONS": ("plain",),
        "REDUCTIONS": ("pool",),
    }.items():
        monkeypatch.setattr(space, name, values)
    monkeypatch.setattr(space, "usual", lambda: (choice(),))
    monkeypatch.setattr(space, "widest", lambda *_: None)


def test_networks_that_only_a_measurement_refuses_are_the_nearest():
    """The plain ones are a little too large here, and so were never timed."""

    class Slow(Costing):
        def costs_of(self, model):
            costs = takes(model)
            if "plain" in model:
                return replace(costs, size_bytes=3_100)
            return replace(costs, latency_s=MeasuredCost(8e-6, 7e-6, 9e-6, "a CPU"))

    with pytest.raises(UsageError, match=r"the smallest takes 8.00 µs \(at most 9.00 µs\) of latency \(tiny:width=2"):
        conduct.require_possible(Slow(), Budgets(3_000.0, max_latency_s=1e-6))


def test_a_network_is_not_refused_because_a_narrower_one_was_too_slow(tmp_path, tiny, one_kind):
    """Latencies are no question of size alone, and are measured with an error."""
    asked = replace(ASKED, budgets=Budgets(max_latency_s=50e-6))
    of = carry_out(tmp_path, tiny, Learned(learn), asked=asked, costing=Timed(), limits=Limits(trials=12))
    assert {one.choice.width for one in of.rejected} <= {3, 4, 5}
    assert max(one.choice.width for one in of.candidates) > min(one.choice.width for one in of.rejected)
    assert search.read(tmp_path).candidates == of.candidates


def test_figures_of_two_cpus_are_not_compared(tmp_path, tiny, one_kind):
    class Elsewhere(Timed):
        def costs_of(self, model):
            costs = super().costs_of(model)
            return replace(costs, latency_s=replace(costs.latency_s, where="another CPU"))

    asked = replace(ASKED, budgets=Budgets(max_latency_s=50e-6))
    carry_out(tmp_path, tiny, Learned(learn), asked=asked, costing=Timed(), limits=Limits(trials=1))
    with pytest.raises(RunError, match="latency measured by another CPU and by a CPU cannot be compared; go on where"):
        carry_out(tmp_path, tiny, Learned(learn), asked=asked, costing=Elsewhere(), limits=Limits(trials=2))


def test_what_was_too_slow_in_an_earlier_call_is_tried_if_it_is_what_fits_now(tmp_path, tiny, one_kind, monkeypatch):
    """Nothing else is proposed here."""

    class Unsteady(Costing):
        def __init__(self, slow):
            super().__init__()
            self.slow = slow

        def costs_of(self, model):
            latency_s = 90e-6 if model == self.slow.model else 10e-6
            return replace(super().costs_of(model), latency_s=MeasuredCost(latency_s, latency_s, latency_s, "a CPU"))

    monkeypatch.setattr(space, "DEPTHS", (2, 3))
    shallow, deep = choice(2), choice(2, depth=3)

    def propose(*_, attempt, **__):
        assert attempt <= 3
        return shallow

    monkeypatch.setattr(space, "usual", lambda: (shallow,))
    for name, value in {"ATTEMPTS": 3, "propose": propose}.items():
        monkeypatch.setattr(conduct, name, value)
    asked = replace(ASKED, budgets=Budgets(max_latency_s=50e-6))
    for slow, trials in ((shallow, 1), (deep, 2)):
        of = carry_out(
            tmp_path, tiny, Learned(learn), asked=asked, costing=Unsteady(slow), limits=Limits(trials=trials)
        )
    assert choices(of) == [deep, shallow]


def test_what_is_known_of_a_network_is_not_measured_again(tmp_path, tiny, one_kind, monkeypatch):
    monkeypatch.setattr(space, "WIDTHS", (4, 4))
    costing = Costing()
    of = carry_out(tmp_path, tiny, Learned(learn), costing=costing, limits=Limits(trials=4))
    assert len({one.choice.learning_rate for one in of.candidates}) == 4
    assert len(costing.asked) == 2  # to see that something fits, and for the first candidate
