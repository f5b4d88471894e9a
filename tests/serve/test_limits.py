from toolkit.serve import limits
from toolkit.serve.limits import BURST, RATE, Rate


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_client_may_be_ahead_by_a_burst_and_then_has_its_rate():
    clock = Clock()
    rate = Rate(clock=clock)
    assert [rate.allows("one") for _ in range(int(BURST))] == [True] * int(BURST)
    assert not rate.allows("one")
    assert rate.allows("other")
    clock.now_s += 10 / RATE
    assert [rate.allows("one") for _ in range(11)] == [True] * 10 + [False]
    clock.now_s += 1000
    assert [rate.allows("one") for _ in range(int(BURST) + 1)] == [True] * int(BURST) + [False]


def test_the_clients_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(limits, "CLIENTS", 2)
    rate = Rate(clock=Clock())
    for client in ("one", "two", "one", "three"):
        assert rate.allows(client)
    assert list(rate._buckets) == ["one", "three"]
