"""Walk every task and write what came out to docs/tasks.md: ``make tasks``."""

import sys
import tempfile
import warnings
from pathlib import Path

from tests import robustness
from tests.tasks.made import FASHION, SMALL
from tests.tasks.page import PAGE, render, too_low
from tests.tasks.walk import walk
from toolkit.data import fashion_mnist
from toolkit.errors import ToolkitWarning


def main() -> int:
    """Walk, print and write the page; Fashion-MNIST takes minutes, and is left out where it is not on this machine.

    The exit code is 1 if an accuracy is below what its task must have.
    """
    warnings.simplefilter("ignore", ToolkitWarning)
    walked = {}
    for task in (*SMALL, *([FASHION] if fashion_mnist.locate() else [])):
        with tempfile.TemporaryDirectory(prefix="tasks-") as folder:
            walked[task] = walk(task, Path(folder))
        print(f"{task.name}: test accuracy {walked[task].trained.test.accuracy:.4f}", flush=True)
    robustness.write("make tasks", render(walked), PAGE)
    lines = too_low(walked)
    print("".join(f"{line}\n" for line in lines), end="")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
