"""What a program calls, and what every verb of the command line calls: it prints nothing.

Paths are ``str`` or ``os.PathLike``; a run and an export are paths of their folders. Images are pixels, (N, H, W, C)
uint8. Errors are ToolkitError or one of its kinds (toolkit/errors.py); warnings are ``ToolkitWarning``. ``on_step`` is
called with a ``Step`` after each step, in this thread unless a function says otherwise.
"""

from toolkit.api.base import BENCHMARKS, EXPORTED
from toolkit.api.compressions import compress
from toolkit.api.data import list_data, load_data
from toolkit.api.device import bundle, check_bundle, doctor, wheels
from toolkit.api.devices import bench_on, verify_on
from toolkit.api.pages import report, serve, show
from toolkit.api.parity import verify, verify_against
from toolkit.api.records import check_record, compare, compare_instructions, compare_records, plot_record
from toolkit.api.road import bench, default_artifact, export, find_sources, open_session, predict, train
from toolkit.api.searches import report_search, search
from toolkit.api.studies import report_study, study
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
    "bench_on",
    "bundle",
    "certify",
    "check_bundle",
    "check_record",
    "compare",
    "compare_instructions",
    "compare_records",
    "compress",
    "default_artifact",
    "diagnose",
    "doctor",
    "export",
    "find_sources",
    "list_data",
    "load_data",
    "localize",
    "open_session",
    "plot_record",
    "predict",
    "report",
    "report_search",
    "report_study",
    "search",
    "selftest",
    "serve",
    "show",
    "study",
    "train",
    "verify",
    "verify_against",
    "verify_on",
    "wheels",
]
