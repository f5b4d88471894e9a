"""The process that one part is tried in: ``python -m toolkit.doctor.child PART [ARTIFACT…]``.

A line of JSON on stdout for each step that was reached: where it dies, the steps tell what it was doing.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from toolkit import constraints, extras

# Packages that are tried beside the runtimes: what to import, and the distribution.
PACKAGES = {"numpy": ("numpy", "numpy"), "pillow": ("PIL.Image", "pillow")}
FOUND, IMPORTED, RAN, HOLDS = "found", "imported", "ran", "holds"
# Of an artifact that answers otherwise here than where it was exported.
OTHERWISE = "otherwise"


def main(arguments: Sequence[str]) -> None:
    """Try a package of PACKAGES or a runtime: on the smallest of the artifacts that it runs, then by their goldens."""
    part, *artifacts = arguments
    # What a package prints must not come between the steps.
    steps = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        if part in PACKAGES:
            _try_package(steps, *PACKAGES[part])
        else:
            _try_runtime(steps, part, [Path(artifact) for artifact in artifacts])
    except Exception as error:  # noqa: BLE001 — a broken package raises anything when it is imported
        _tell(steps, {"error": f"{type(error).__name__}: {error}"})


def _try_package(steps: BinaryIO, module: str, distribution: str) -> None:
    _tell(steps, {"step": FOUND, **_package(module, distribution)})
    if extras.installed(module):
        extras.load(module)
        _tell(steps, {"step": IMPORTED, "devices": []})


def _try_runtime(steps: BinaryIO, name: str, artifacts: Sequence[Path]) -> None:
    # Every runtime's module imports numpy: where that is what breaks, it is numpy that is to be named.
    _tell(steps, {"step": FOUND, **_package(*PACKAGES["numpy"])})
    if not extras.installed("numpy"):
        return
    import numpy as np

    from toolkit import runtimes

    module = runtimes.get(name)
    _tell(steps, {"step": FOUND, **_package(module.PACKAGE, *module.DISTRIBUTIONS)})
    if not extras.installed(module.PACKAGE):
        return
    extras.load(module.PACKAGE)
    _tell(steps, {"step": IMPORTED, "devices": list(module.devices())})
    mine = [path for path in artifacts if path.suffix in module.SUFFIXES]
    if mine:
        smallest = min(mine, key=lambda path: path.stat().st_size)
        session = module.open_session(smallest, threads=1)
        shape = [size or 1 for size in session.input.shape[1:]]
        outputs = session.predict_once(np.zeros((session.input.shape[0] or 1, *shape), np.uint8))
        if not np.isfinite(outputs).all():
            raise ArithmeticError(f"{smallest.name} gave outputs that are no numbers")
        _tell(steps, {"step": RAN, "artifact": str(smallest)})
    for path in mine:
        _tell(steps, {"step": HOLDS, "artifact": str(path)})
        if problem := _hold(path):
            _tell(steps, {OTHERWISE: str(path), "problem": problem})


def _hold(path: Path) -> str | None:
    """Return how an artifact answers otherwise here than its golden recorded; None for the Keras original as well."""
    from toolkit import manifest
    from toolkit.errors import ArtifactError
    from toolkit.parity import recorded

    try:
        found = manifest.read(path.parent)
        return next((recorded.problem(found, entry) for entry in found.artifacts if entry.path == path.name), None)
    except ArtifactError as error:
        return str(error)


def _package(module: str, *distributions: str) -> dict[str, Any]:
    return {
        "package": module.partition(".")[0],
        "extra": extras.EXTRA_OF.get(module),
        "installed": extras.installed(module),
        "versions": {name: found for name in distributions if (found := constraints.installed(name))},
    }


def _tell(steps: BinaryIO, step: dict[str, Any]) -> None:
    steps.write(json.dumps(step).encode() + b"\n")
    steps.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
