"""What is stored for the tests is what an export of today makes."""

import pytest

from toolkit import manifest
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.sources import resolve


def said(folder):
    """What a manifest says, but for the time, the versions and the bytes of files."""
    found = manifest.read(folder)
    artifacts = [(one.path, one.format, one.quantization, one.inputs, one.outputs) for one in found.artifacts]
    origin = (found.model, found.data, found.recipe, found.source, found.calibration, found.convention)
    return artifacts, origin, found.golden.n, found.novelty, found.derived


@pytest.mark.slow
def test_an_export_of_today_is_the_one_that_is_stored(exported_once, trained_folder, tiny, tmp_path):
    options = ExportOptions(plan([], []), calibration_count=50)
    made = export(resolve(str(trained_folder)), tiny, tmp_path / "cnn", options, warn=pytest.fail)
    assert made.failures == {}
    names = {path.name for path in (tmp_path / "cnn").iterdir()} - {"export.log"}
    again = "make them again by 'python -m tests.stored'"
    assert names == {path.name for path in exported_once.iterdir()}, again
    assert said(tmp_path / "cnn") == said(exported_once), again
