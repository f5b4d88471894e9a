"""The curves, and the command that trains again."""

import re
from dataclasses import replace

import pytest

from tests.report.sections.made import subject, text
from tests.test_docs import OPTIONS
from toolkit import manifest
from toolkit.errors import ArtifactError
from toolkit.reading import Reading
from toolkit.report.sections import training


def test_the_command_that_trains_again_has_what_the_recipe_has_beside_and_no_name_of_ones_own(shipped):
    found = manifest.read(shipped)
    more = {"balance": True, "patience": 3, "freeze_until": None, "augment": "flip", "odd": ["x"]}
    own = replace(found.recipe, model="my_net", others=more)
    made = replace(found, recipe=own, data=replace(found.data, name="fruit"))
    (command,) = training._again(made)
    assert command.startswith("toolkit train --data DATA --model FILE --optimizer adam ")
    assert command.endswith(" --balance --patience 3 --augment flip")
    assert training._again(replace(found, recipe=None)) == {}


@pytest.mark.parametrize(
    ("reading", "options"),
    [
        (
            {"image_size": (32, 48), "resize": "crop", "skip_unreadable": True},
            "--image-size 32x48 --resize crop --skip-unreadable",
        ),
        ({"window": 100, "stride": 50}, "--window 100 --stride 50"),
        ({"keys": {"label": "species"}, "columns": ("a", "b")}, "--keys label=species"),
    ],
)
def test_the_command_that_trains_again_reads_the_data_as_they_were_read(shipped, reading, options):
    found = manifest.read(shipped)
    read_otherwise = replace(found, data=replace(found.data, name="fruit", reading=Reading(**reading)))
    (command,) = training._again(read_otherwise)
    assert command.startswith(f"toolkit train --data DATA {options} --model mlp ")


def test_the_curves_are_those_of_the_history_else_the_charts_of_the_export(shipped, monkeypatch):
    from toolkit.report.history import EpochFigures

    made = subject(shipped)
    with pytest.raises(ArtifactError, match="the training run 'mlp-full' is not beside the export"):
        training.show(made)
    (shipped / "loss.png").write_bytes(b"\x89PNG\r\n\x1a\n1")
    (shipped / "accuracy.png").write_bytes(b"no picture")
    shown = training.show(made)
    assert shown.body.count("<img") == 1
    (command,) = shown.again
    assert command.startswith("toolkit train --data mnist --model mlp --optimizer adam --learning-rate 0.001 ")
    assert {word for word in command.split() if word.startswith("--")} <= OPTIONS["train"]
    assert "The charts of the export; the training run" in text(shown)
    made.__dict__["history"] = [EpochFigures(n, 1 / n, 0.9, 1.1 / n, 0.89) for n in range(1, 101)]
    shown = training.show(made)
    assert shown.body.count("<svg") == 2
    assert "loss of 100 epochs: training ends at 0.01, validation ends at 0.011" in text(shown)
    assert f"kept: epoch {made.manifest.source.metrics.best_epoch}" in text(shown)
    heights = [float(height) for height in re.findall(r'y="([\d.]+)"[^>]*>kept', shown.body)]
    assert heights == [56.0, 222.0]  # where the curve is not: above the low loss, below the high accuracy
    made.__dict__["history"] = [EpochFigures(1, 1.0, 0.9, float("nan"), float("nan"))]
    shown = training.show(made)
    assert "validation" not in text(shown).partition("loss of 1 epoch:")[2]
    assert ">1</text>" in shown.body
    assert ">2</text>" not in shown.body  # there was no second epoch
