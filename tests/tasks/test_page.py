"""docs/tasks.md has what came out of every task that each machine can walk."""

from types import SimpleNamespace

from tests.tasks.made import FASHION, SMALL
from tests.tasks.page import HEADINGS, PAGE, too_low


def test_the_page_has_the_figures_of_every_small_task():
    _, _, found = PAGE.read_text().partition("<!-- what 'make tasks' found: begin -->\n")
    heading, _, *lines = found.partition("<!--")[0].splitlines()
    assert heading == f"| {' | '.join(HEADINGS)} |"
    first = [line for line in lines if not line.startswith("|  |")]
    assert [line.split(" | ")[0].removeprefix("| ") for line in first[: len(SMALL)]] == [task.name for task in SMALL]
    assert len(lines) == 4 * len(first)
    for task, line in zip(SMALL, first, strict=False):
        keras = float(line.split(" | ")[HEADINGS.index("Keras")].removesuffix(" %"))
        assert keras >= 100 * task.least, f"{task.name} is worse than its test allows"


def test_a_task_that_is_worse_than_it_must_be_is_named():
    def walked(accuracy):
        return SimpleNamespace(trained=SimpleNamespace(test=SimpleNamespace(accuracy=accuracy)))

    assert too_low({SMALL[0]: walked(0.99), FASHION: walked(0.91)}) == []
    assert too_low({SMALL[0]: walked(0.99), FASHION: walked(0.9099)}) == [
        "fashion: 90.99 % of the test rows are right, less than 91.00 %"
    ]
