"""The process that one part is tried in: ``python -m toolkit.doctor.child PART``.

A line of JSON on stdout for each step that was reached: where it dies, the steps tell what it was doing.
"""

import json
import os
import sys
from typing import Any, BinaryIO

from toolkit import constraints, extras, locks

# Packages that are tried beside the runtimes: what to import, and the distribution.
PACKAGES = {"numpy": ("numpy", "numpy"), "pillow": ("PIL.Image", "pillow")}
FOUND, IMPORTED, RAN = "found", "imported", "ran"
# Of the artifact that a runtime is tried on.
WIDTH = 8


def main(part: str) -> None:
    """Try a package of PACKAGES, or a runtime on an artifact that is made for it: no file is to blame if it dies."""
    # What a package prints must not come between the steps.
    steps = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        if part in PACKAGES:
            _try_package(steps, *PACKAGES[part])
        else:
            _try_runtime(steps, part)
    except Exception as error:  # noqa: BLE001 — a broken package raises anything when it is imported
        _tell(steps, {"error": f"{type(error).__name__}: {error}"})


def _try_package(steps: BinaryIO, module: str, distribution: str) -> None:
    _tell(steps, {"step": FOUND, **_package(module, distribution)})
    if extras.installed(module):
        extras.load(module)
        _tell(steps, {"step": IMPORTED, "devices": []})


def _try_runtime(steps: BinaryIO, name: str) -> None:
    # Every runtime's module imports numpy: where that is what breaks, it is numpy that is to be named.
    _tell(steps, {"step": FOUND, **_package(*PACKAGES["numpy"])})
    if not extras.installed("numpy"):
        return
    import numpy as np

    from toolkit import runtimes
    from toolkit.runtimes.base.graph import FLOAT32

    module = runtimes.get(name)
    _tell(steps, {"step": FOUND, **_package(module.PACKAGE, *module.DISTRIBUTIONS)})
    if not extras.installed(module.PACKAGE):
        return
    extras.load(module.PACKAGE)
    _tell(steps, {"step": IMPORTED, "devices": list(module.devices())})
    with locks.scratch() as folder:
        path = folder / f"dense{module.SUFFIXES[0]}"
        if module.write_probe(path, arithmetic=FLOAT32, rows=1, width=WIDTH):
            module.open_session(path).predict_once(np.zeros((1, WIDTH), np.uint8))
            _tell(steps, {"step": RAN})


def _package(module: str, *distributions: str) -> dict[str, Any]:
    package = module.partition(".")[0]
    return {
        "package": package,
        "extra": extras.EXTRA_OF.get(package),
        "installed": extras.installed(module),
        "versions": {name: version for name in distributions if (version := constraints.installed(name))},
    }


def _tell(steps: BinaryIO, step: dict[str, Any]) -> None:
    steps.write(json.dumps(step).encode() + b"\n")
    steps.flush()


if __name__ == "__main__":
    main(sys.argv[1])
