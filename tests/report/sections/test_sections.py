"""The sections together: their order, and what they call a row."""

from dataclasses import replace

import pytest

from tests.report.sections.made import text, with_rows
from toolkit.convention import Convention, Layout
from toolkit.errors import ArtifactError
from toolkit.reading import Reading
from toolkit.report import sections
from toolkit.report.sections import confusion, model, reliability, shipping, verdicts
from toolkit.report.subject import Subject


def test_sections_have_an_order_and_titles_of_their_own():
    every = sections.in_order()
    assert len({module.ORDER for module in every}) == len({module.TITLE for module in every}) == len(every)
    assert every[0] is shipping


def test_rows_of_a_table_are_not_called_images(three):
    values = replace(three.manifest, convention=Convention(layout=Layout.VALUES))
    table = with_rows(Subject(values, ()), three.rows.reference, **three.rows.artifacts)
    for module in (model, verdicts, confusion, reliability):
        assert "images" in text(module.show(three)) or module is confusion
        assert "images" not in text(module.show(table)).replace(three.manifest.data.name, "")
    assert "train rows" in text(model.show(table))


def test_the_digests_of_the_data_are_said_again_by_a_command(three):
    assert model.show(three).again == {"toolkit data mnist": "says the digests of the data"}
    own = replace(three.manifest, data=replace(three.manifest.data, name="fruit", reading=Reading(window=8)))
    assert list(model.show(replace(three, manifest=own)).again) == ["toolkit data DATA --window 8"]


@pytest.mark.parametrize("section", [confusion, reliability])
def test_an_artifact_without_rows_says_what_keeps_them(three, section):
    three.rows.artifacts.clear()
    with pytest.raises(
        ArtifactError, match=r"has no outputs of mlp-dynamic\.tflite; 'toolkit verify --save' keeps them"
    ):
        section.show(three)
