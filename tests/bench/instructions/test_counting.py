from toolkit.bench.instructions.counting import count_call


def test_an_inference_costs_the_median_of_a_few_calls_less_what_calling_nothing_costs():
    executed, calls = 0, 0

    def counter() -> int:
        nonlocal executed
        executed += 7  # reading the count costs something too
        return executed

    def inference() -> None:
        nonlocal executed, calls
        calls += 1
        executed += {1: 90_000, 8: 5_000}.get(calls, 100)  # packing weights at first, an interrupt later

    assert count_call(inference, counter) == 100
