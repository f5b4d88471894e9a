"""What networks take: asked for once, of processes that are replaced."""

from typing import ClassVar

import pytest

from tests.training.made_up import ROUNDING
from toolkit.search import costs
from toolkit.search.budgets import Budgets, Costs, MeasuredCost
from toolkit.search.costs import Costing
from toolkit.search.measures import MEASURES

# What stands for a converted file.
FILE = b"a network"


class Counting:
    """A process that counts itself and what it is asked."""

    made: ClassVar[list["Counting"]] = []

    def __init__(self, what, tasks, *, patience_s):
        self.asked, self.closed = [], False
        Counting.made.append(self)

    def ask(self, question):
        self.asked.append(question)
        return {"size_bytes": 1, "macs": 2, "memory_bytes": 3, "parameters": 4}, FILE

    def close(self):
        self.closed = True


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr("toolkit.search.costs.Process", Counting)
    monkeypatch.setattr(Counting, "made", [])
    return Counting.made


def test_a_network_is_converted_once(made, tiny):
    with Costing(tiny, Budgets()) as costing:
        assert costing.costs_of("tiny:width=2") == costing.costs_of("tiny:width=2") == Costs(1, 2, 3, 4)
    (process,) = made
    about = {"input_shape": [8, 8, 1], "classes": 3, "dtype": "uint8", "qat": False}
    assert process.asked == [{"do": costs.MEASURE, "model": "tiny:width=2", **about}]
    assert process.closed


def test_memory_does_not_grow_with_the_conversions(made, tiny):
    with Costing(tiny, Budgets()) as costing:
        for width in range(2 * costs.CONVERSIONS + 1):
            costing.costs_of(f"tiny:width={width}")
    assert [len(process.asked) for process in made] == [costs.CONVERSIONS] * 2 + [1]
    assert all(process.closed for process in made)


@pytest.mark.slow
def test_a_whole_network_is_measured_as_its_file_is(tiny):
    """4 filters of 3×3 on 8×8 pixels, then 8 of 3×3×4 on 4×4, then 8×3: 2,304 + 4,608 + 24 MACs."""
    model = "tiny:width=4,depth=2,kernel=3,conv=plain,reduce=pool"
    about = {"model": model, "input_shape": [8, 8, 1], "classes": 3, "dtype": "uint8", "qat": False}
    answer, content = costs.TASKS[costs.MEASURE]({}, b"", **about)
    assert answer["macs"] == 2_304 + 4_608 + 24
    assert answer["memory_bytes"] == 64 + 256  # the image beside what the first convolution gives out
    assert 2_000 < answer["size_bytes"] == len(content) < 8_000


def test_what_is_limited_is_measured_as_long_as_the_rest_fits(made, tiny, monkeypatch):
    asked = []

    def measure(name, value):
        def found(path):
            assert path.read_bytes() == FILE
            asked.append(name)
            return MeasuredCost(value, value, value, "a CPU")

        monkeypatch.setitem(MEASURES, name, found)

    measure("instructions", 30_000.0)
    measure("latency_s", 20e-6)
    for budgets, names in (
        (Budgets(), []),
        (Budgets(max_latency_s=1.0), ["latency_s"]),
        (Budgets(max_instructions=40_000.0, max_latency_s=1.0), ["instructions", "latency_s"]),
        (Budgets(max_instructions=20_000.0, max_latency_s=1.0), ["instructions"]),
        (Budgets(max_macs=1.0, max_instructions=40_000.0), []),
    ):
        asked.clear()
        with Costing(tiny, budgets) as costing:
            found = costing.costs_of("tiny:width=2")
        assert asked == names
        assert [name for name in MEASURES if getattr(found, name)] == names


@pytest.mark.slow
def test_the_size_of_a_network_that_learns_with_rounding_is_that_of_its_export(trained_export):
    about = {"model": ROUNDING.model, "input_shape": [8, 8, 1], "classes": 3, "dtype": "uint8", "qat": True}
    answer, content = costs.TASKS[costs.MEASURE]({}, b"", **about)
    assert answer["size_bytes"] == len(content) == (trained_export / "tiny-int8.tflite").stat().st_size
