"""How much of toolkit a command runs, module by module: ``make test COVERAGE=yes``, as CI does.

    python -m tests.coverage_report pytest tests/worker

A module of which it runs too little needs a reason here, and a share that is run all the same. One that has a reason,
and of which it runs enough, is said.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from coverage import Coverage

from tests.statements.run import Counted

ROOT = Path(__file__).parents[1]
# Share of a module's statements that is enough.
ENOUGH = 0.9


class Reason(NamedTuple):
    """Why a command is seen to run little of a module. least: the share of its statements that it runs all the same."""

    least: float
    why: str


_BUNDLED = "runs as a copy inside a bundle, with an interpreter that has nothing else (tests/bundle)"
REASONS = {
    "toolkit/bundle/classify/base.py": Reason(0.15, _BUNDLED),
    "toolkit/bundle/classify/litert.py": Reason(0.35, _BUNDLED),
    "toolkit/bundle/classify/onnxruntime.py": Reason(0.4, _BUNDLED),
    "toolkit/bundle/rows/recordings.py": Reason(0.55, _BUNDLED),
    "toolkit/bundle/rows/values.py": Reason(0.6, _BUNDLED),
    "toolkit/remote/agent.py": Reason(0.3, "runs as a copy, in an environment of its own (tests/remote)"),
    "toolkit/remote/provision.py": Reason(0.2, "runs on devices as text that is sent to them (tests/remote)"),
    "toolkit/study/worker.py": Reason(0.8, "is ended by SIGKILL at any point of it (tests/study)"),
    "toolkit/training/loop.py": Reason(
        0.55, "is run by TensorFlow as a copy that it makes of it, AutoGraph (tests/training)"
    ),
}


def shares(coverage: Coverage) -> dict[str, float]:
    """Return the share of its statements that was run, by module; those without statements are left out."""
    found = {}
    for path in sorted((ROOT / "toolkit").rglob("*.py")):
        _, statements, _, missing, _ = coverage.analysis2(str(path))
        if statements:
            found[str(path.relative_to(ROOT))] = 1 - len(missing) / len(statements)
    return found


def problems(found: Mapping[str, float], reasons: Mapping[str, Reason]) -> list[str]:
    """Return a line for each module of which too little is run, and for each reason that lacks its module."""
    least = {module: reasons[module].least if module in reasons else ENOUGH for module in found}
    lacking = [
        f"{module}: {share:.0%} of it is run, less than {least[module]:.0%}; test it, or give the reason in REASONS"
        for module, share in found.items()
        if share < least[module]
    ]
    return lacking + [f"{module}: no such module; take its reason out of REASONS" for module in reasons.keys() - found]


def superfluous(found: Mapping[str, float], reasons: Mapping[str, Reason]) -> list[str]:
    """Return a line for each reason that is not needed: no error, since how far a killed process comes varies."""
    enough = (module for module in reasons if found.get(module, 0.0) >= ENOUGH)
    return [f"{module}: {found[module]:.0%} of it is run; its reason may go" for module in enough]


def main(command: Sequence[str]) -> int:
    """Run a command, print the report, the reasons and the problems; the exit code is the command's, or 1 for these."""
    coverage = Coverage(data_file=None)
    with TemporaryDirectory() as folder:
        counted = Counted(ROOT / "toolkit", Path(folder))
        if code := subprocess.run(command, env=counted.environment(), check=False).returncode:
            return code
        coverage.get_data().add_lines(counted.lines())
    coverage.report(file=sys.stdout)
    print(f"\nLess than {ENOUGH:.0%} of these is seen to run:")
    for module, (least, why) in REASONS.items():
        print(f"  {module} (at least {least:.0%}) {why}")
    found = shares(coverage)
    for line in superfluous(found, REASONS):
        print(f"note: {line}")
    wrong = problems(found, REASONS)
    for line in wrong:
        print(f"error: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
