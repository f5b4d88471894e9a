"""docs/run.svg: the picture of the README is of the run that was recorded, and can be read there."""

import html
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from toolkit.cli.bench.tables import LATENCY_COLUMNS
from toolkit.cli.verify.tables import FIGURES

DOCS = Path(__file__).parents[1] / "docs"
# How wide GitHub shows a README, and how large its own text is, in pixels.
PAGE_WIDTH, TEXT_SIZE = 838, 16


@pytest.fixture(scope="module")
def picture():
    spec = spec_from_file_location("picture", DOCS / "picture.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def svg(picture):
    return picture.draw(picture.RECORDED.read_text(encoding="utf-8"))


def test_the_picture_is_that_of_the_recorded_run(picture, svg):
    assert picture.PICTURE.read_text(encoding="utf-8") == svg


def test_the_picture_fits_a_screen_and_its_text_is_as_large_as_that_of_the_page(svg):
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    size = float(re.search(r"font-size: (\d+)px", svg)[1])
    assert size * PAGE_WIDTH / width >= TEXT_SIZE
    assert height < width


def test_the_picture_shows_verdicts_speed_ups_and_what_to_ship(svg):
    text = html.unescape(re.sub(r"<[^>]+>", "", svg)).replace("\xa0", " ")
    for words in ("3. verify", "lost/gained", "pass", "speed-up", "faster, at least", "ship:", "…"):
        assert words in text
    assert "divergence" not in text


def test_the_columns_of_the_picture_are_those_that_the_commands_print(picture):
    verify, _, bench, _ = picture.SHOWN.values()
    assert set(verify) <= {"artifact", *FIGURES, "verdict"}
    assert set(bench) <= {"artifact", *(column.heading for column in LATENCY_COLUMNS)}


def test_a_column_is_left_out_of_every_line_of_its_table(picture):
    table = [
        " a       two words     c",
        " ───────────────────────",
        " x              12   yes",
        " long            3     –",
    ]
    kept = picture.columns([picture.Text(line) for line in table], ("a", "c"))
    assert [line.plain for line in kept] == [" a        c", " ──────────", " x      yes", " long     –"]
