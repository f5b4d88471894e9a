"""Documents of runs that were written by somebody else, or damaged, when a run goes on."""

import json

import pytest

from tests.fuzz import made
from toolkit.errors import RunError
from toolkit.training import folders


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("teacher", 5, r"\$\.teacher: expected str, got int"),
        ("imports_sha256", [5], r"\$\.imports_sha256: expected object, got array"),
        ("imports_sha256", {"a.py": 5}, r"\$\.imports_sha256\[\.\.\.\]: expected str, got int"),
        ("model_sha256", [], r"\$\.model_sha256: expected str \| null, got array"),
    ],
)
def test_what_a_run_was_started_with_is_checked_before_it_is_used(tmp_path, name, value, says):
    made.run(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["recipe"] |= {"teacher": "gone.keras"}
    (tmp_path / "config.json").write_text(json.dumps({**config, name: value}))
    with pytest.raises(RunError, match=says):
        folders.go_on({}, None, str(tmp_path))


def test_a_run_that_does_not_say_of_how_many_epochs_its_schedule_was_is_refused(tmp_path):
    made.run(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["recipe"] |= {"schedule": "cosine"}
    before = {name: value for name, value in config["recipe"].items() if name != "epochs"}
    (tmp_path / "config.json").write_text(json.dumps({**config, "recipe": before}))
    with pytest.raises(RunError, match="its cosine schedule ends with epoch None"):
        folders.prepare(tmp_path, {**config, "validation": None}, resume=True)
