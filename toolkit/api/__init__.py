"""What a program calls, and what every verb of the command line calls: it prints nothing.

Paths are ``str`` or ``os.PathLike``; a run and an export are paths of their folders. Images are pixels, (N, H, W, C)
uint8. Errors are ToolkitError or one of its kinds (toolkit/errors.py); warnings are ``ToolkitWarning``. ``on_step`` is
called with a ``Step`` after each step, in this thread.
"""

from toolkit.api.base import BENCHMARKS, EXPORTED
from toolkit.api.records import check_record, compare, compare_files, plot_record
from toolkit.api.road import bench, default_artifact, export, open_session, predict, train, verify
from toolkit.api.trust import certify, diagnose, localize, selftest
from toolkit.errors import ToolkitError, ToolkitWarning
from toolkit.step import Step

__all__ = [
    "BENCHMARKS",
    "EXPORTED",
    "Step",
    "ToolkitError",
    "ToolkitWarning",
    "bench",
    "certify",
    "check_record",
    "compare",
    "compare_files",
    "default_artifact",
    "diagnose",
    "export",
    "localize",
    "open_session",
    "plot_record",
    "predict",
    "selftest",
    "train",
    "verify",
]
