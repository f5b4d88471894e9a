"""``toolkit report-study``: the report of a study, without training."""

from toolkit import api
from toolkit.cli import study
from toolkit.cli.options import Printer


def command(
    *,
    name: study.StudyName = "study",
    output: study.ReportFolder = None,
    console: Printer,
) -> int:
    """Write the report of a study anew, without training.

    The exit code is 1 if a run of the study crashed.
    """
    written = api.report_study(name, output=output)
    study.report(console, written)
    console.document({**written.to_json(), "command": "report-study"})
    return study.exit_code(written)
