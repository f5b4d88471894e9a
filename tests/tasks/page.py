"""What came out of the tasks, as docs/tasks.md has it."""

from collections.abc import Mapping
from pathlib import Path

from tests import robustness
from tests.tasks.made import Task
from tests.tasks.walk import Walked
from toolkit import units

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"
HEADINGS = ("task", "model", "test rows", "Keras", "artifact", "size", "accuracy", "other classes than Keras")


def render(walked: Mapping[Task, Walked]) -> str:
    """Return a table with a line for each artifact of each task."""
    rows = []
    for task, one in walked.items():
        sizes = {Path(artifact.path).name: artifact.size_bytes for artifact in one.exported.made}
        (part,) = one.parity.parts
        for number, comparison in enumerate(part.comparisons):
            name = Path(comparison.artifact).name
            figures = comparison.figures
            about = (task.name, task.model, f"{figures.n:,}", units.percent(one.trained.test.accuracy))
            rows.append(
                (
                    *(about if number == 0 else [""] * len(about)),
                    f"`{name}`",
                    units.size(sizes[name]),
                    units.percent(figures.accuracy),
                    str(figures.changed),
                )
            )
    return robustness.as_table(HEADINGS, rows)


def too_low(walked: Mapping[Task, Walked]) -> list[str]:
    """Return a line for each task whose model is right on fewer test rows than it must be."""
    accuracies = {task: one.trained.test.accuracy for task, one in walked.items()}
    return [
        f"{task.name}: {units.percent(accuracy)} of the test rows are right, less than {units.percent(task.least)}"
        for task, accuracy in accuracies.items()
        if accuracy < task.least
    ]
