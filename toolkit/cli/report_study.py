"""``toolkit report-study``: the report of a study, without training."""

from toolkit import api
from toolkit.cli import study
from toolkit.cli.options import Debug, Json
from toolkit.console import Console


def command(
    name: study.StudyName = "study",
    output: study.ReportFolder = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Write the report of a study anew, without training.

    The exit code is 1 if a run of the study crashed.
    """
    console = Console(json_output=json)
    written = api.report_study(name, output=output)
    study.report(console, written)
    console.document({**written.to_json(), "command": "report-study"})
    return study.exit_code(written)
