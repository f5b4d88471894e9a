"""Digits are found on pages of any light, and told from lines, frames, borders, specks and each other."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from tests.digits import scenes, sources
from toolkit import digits, images
from toolkit.digits import Box, components, lines
from toolkit.digits import strokes as strokes_of_digits


def bar(height=100, width=100, *, ink=0, paper=255) -> np.ndarray:
    """A page with an upright bar, off the centre."""
    page = np.full((height, width), paper, np.uint8)
    page[height // 5 : 3 * height // 5, 7 * width // 10 : 8 * width // 10] = ink
    return page


def strokes(label: int) -> np.ndarray:
    """The ink of a digit that is drawn."""
    return next(ink for digit, ink in sources.drawn(np.random.default_rng(1), 10) if digit == label)


def form_of(page: np.ndarray) -> np.ndarray:
    (digit,) = digits.find(page).digits
    return digits.to_form(digit.ink, height=28, width=28)


def pixels(scene, label=5, seed=0) -> np.ndarray:
    return np.asarray(scene(strokes(label), np.random.default_rng(seed)).convert("L"))


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (40, 200), (230, 90)])
def test_either_polarity_becomes_light_ink_on_black(ink, paper):
    form = form_of(bar(ink=ink, paper=paper))
    assert form.shape == (28, 28)
    assert form[0, 0] == 0
    assert form.max() > 200


def test_a_digit_is_cut_out_where_it_is():
    (digit,) = digits.find(bar()).digits
    assert digit.box == Box(20, 70, 60, 80)


def test_faint_grain_is_not_ink():
    page = bar().astype(int) + np.random.default_rng(0).integers(-20, 1, (100, 100))
    columns = np.flatnonzero(form_of(page.clip(0, 255).astype(np.uint8)).any(axis=0))
    assert columns[-1] - columns[0] + 1 <= 6


@pytest.mark.parametrize("far", [200, 150, 110])
@pytest.mark.parametrize("label", [1, 4, 5])
def test_paper_that_gets_darker_to_a_corner_changes_no_stroke(label, far):
    page = scenes.placed(strokes(label), np.random.default_rng(0))
    y, x = np.mgrid[0 : scenes.SIDE, 0 : scenes.SIDE]
    light = 235 + (far - 235) * (x + y) / (2 * scenes.SIDE)
    even, uneven = (form_of(np.asarray(scenes.image(scenes.paint(paper, page)))) for paper in (235.0, light))
    assert np.abs(even.astype(int) - uneven).mean() < 3


@pytest.mark.parametrize(
    "scene",
    [
        scenes.squared,
        scenes.ruled_line,
        scenes.ruled_page,
        scenes.frame,
        scenes.scan_border,
        scenes.card,
        scenes.finger,
        scenes.shadow,
        scenes.specks,
    ],
)
def test_what_else_is_on_the_photo_is_not_the_digit(scene):
    """The box is that of the digit, and as large as without the rest."""
    page = digits.find(pixels(scene, label=2, seed=3))
    assert page.refusal is None
    (digit,) = page.digits
    ink = strokes(2)
    aspect = ink.shape[1] / ink.shape[0]
    assert digit.box.height < 0.62 * scenes.SIDE
    assert digit.box.width / digit.box.height == pytest.approx(aspect, rel=0.25)


def test_the_bar_of_a_five_that_is_apart_belongs_to_it():
    page = np.full((200, 200), 240, np.uint8)
    page[50:150, 60:74] = page[136:150, 60:120] = page[90:104, 60:120] = page[90:150, 106:120] = 20
    page[50:64, 82:130] = 20
    (digit,) = digits.find(page).digits
    assert digit.box == Box(50, 60, 150, 130)


def test_a_dot_above_a_stroke_belongs_to_it_and_a_speck_far_away_does_not():
    page = np.full((200, 200), 240, np.uint8)
    page[60:150, 95:107] = 20
    page[40:52, 95:107] = 20
    page[180:184, 20:24] = 20
    (digit,) = digits.find(page).digits
    assert digit.box == Box(40, 95, 150, 107)


def test_several_digits_are_found_in_reading_order():
    page = np.full((400, 400), 240, np.uint8)
    places = [(30, 40), (45, 220), (230, 30), (220, 250)]
    for top, left in reversed(places):
        page[top : top + 120, left : left + 16] = 30
        page[top : top + 16, left : left + 60] = 30
    found = digits.find(page)
    assert [(digit.box.top, digit.box.left) for digit in found.digits] == places


def page_of(rows: int, columns: int, *, step: int = 24) -> np.ndarray:
    """A page with so many 7s of 14 × 9 pixels."""
    page = np.full((rows * step, columns * step), 240, np.uint8)
    for top in range(5, rows * step, step):
        for left in range(5, columns * step, step):
            page[top : top + 14, left + 7 : left + 9] = page[top : top + 2, left : left + 9] = 30
    return page


def test_a_page_of_text_is_refused_and_its_letters_are_not_told_apart(monkeypatch):
    """Of a page of 4,500 letters it would take minutes."""
    pairs = []
    real = digits.strokes._strokes_of_one
    monkeypatch.setattr("toolkit.digits.strokes._strokes_of_one", lambda *boxes: pairs.append(1) or real(*boxes))
    page = digits.find(page_of(20, 25))
    assert page.refusal == "no digit to be seen, but more than 100 patches of ink; cut out what is to be read"
    assert page.digits == ()
    assert not (page.owner > 0).any()
    assert len(pairs) <= 10 * 101 * 100 / 2


def test_the_holes_of_a_mesh_are_joined_one_by_one(monkeypatch):
    """To go through all of a column again for each of its holes took seconds."""
    mask = np.zeros((960, 8), bool)
    mask[np.arange(960) % 16 < 14] = True
    labels, holes = components.label(mask)
    joined = []
    real = Box.joined
    monkeypatch.setattr(Box, "joined", lambda *boxes: joined.append(1) or real(*boxes))
    assert [len(group) for group in strokes_of_digits.grouped(holes, labels)] == [60]
    assert len(joined) <= len(holes)


def test_the_lines_of_a_page_full_of_ink_are_found_in_little_memory():
    y, x = np.mgrid[0:640, 0:640]
    mask = (x % 16 < 3) | (y % 16 < 3)
    tracemalloc.start()
    without = lines.without_lines(mask)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert without.sum() < mask.sum() / 2
    assert peak_bytes < 20 * mask.size


def test_the_pixels_of_digits_whose_boxes_are_far_from_each_other_are_not_compared(monkeypatch):
    compared = []
    real = digits.strokes._distance
    monkeypatch.setattr("toolkit.digits.strokes._distance", lambda *patches: compared.append(1) or real(*patches))
    assert len(digits.find(page_of(8, 12)).digits) == 96
    assert len(compared) < 100


def test_an_empty_page_is_refused():
    assert "of one brightness" in (digits.find(np.full((50, 50), 250, np.uint8)).refusal or "")


def test_noise_is_not_said_to_be_of_one_brightness():
    noise = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    assert digits.find(noise).refusal == "no digit to be seen, no ink stands out from the paper"


def test_lines_alone_are_no_digit():
    page = np.full((200, 200), 240, np.uint8)
    page[40::50] = 60
    assert "lines, borders" in (digits.find(page).refusal or "")


def test_a_digit_that_is_too_small_says_how_large_it_must_be():
    page = np.full((3000, 2000), 240, np.uint8)
    page[1000:1035, 700:705] = page[1030:1035, 700:725] = 20
    assert "pixels high; take it from nearer: at least 40" in (digits.find(page).refusal or "")


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 500)])
def test_pages_of_any_shape_are_read_or_refused(shape):
    noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    page = digits.find(noise)
    assert page.refusal is None or page.refusal


@pytest.mark.parametrize("seed", range(4))
def test_a_page_of_noise_alone_is_refused(seed):
    noise = np.random.default_rng(seed).integers(0, 256, (300, 300)).astype(np.uint8)
    assert digits.find(noise).refusal is not None


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (8192, 6144)])
def test_a_photo_of_a_camera_is_read_in_the_memory_of_a_small_computer(tmp_path, monkeypatch, width, height):
    """12 and 50 megapixels."""
    monkeypatch.setattr("toolkit.host.available_memory_bytes", lambda: 2_500_000_000)
    page = np.full((height, width), 220, np.uint8)
    page[height // 4 : height // 2, width // 2 : width // 2 + height // 16] = 30
    Image.fromarray(page).save(tmp_path / "photo.jpg")
    read = images.read(tmp_path / "photo.jpg", channels=1)
    assert read.shape == (height, width, 1)
    ink = form_of(read[..., 0]) > 128
    assert [int(np.ptp(np.flatnonzero(ink.any(axis=axis)))) + 1 for axis in (1, 0)] == [20, 5]


def test_looking_for_a_digit_takes_little_memory_beside_the_page():
    page = bar(4500, 6000)
    tracemalloc.start()
    try:
        digits.find(page)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2 * page.size


@pytest.mark.parametrize("label", [0, 2, 7, 8])
def test_a_photo_that_was_cut_to_its_digit_is_the_digit(label):
    """The base of a 2 is no ruled line, and the hole of a 0 no digit."""
    ink = strokes(label)
    (digit,) = digits.find(pixels(scenes.tight, label=label)).digits
    assert digit.box.height == pytest.approx(ink.shape[0], abs=8)
    assert digit.box.width == pytest.approx(ink.shape[1], abs=8)


def test_the_hole_of_a_bold_digit_is_no_digit_and_what_a_card_holds_is_one():
    y, x = np.mgrid[0:200, 0:200] - 100.0
    ring = np.where((x / 60) ** 2 + (y / 90) ** 2 < 1, 50, 235)
    ring[(x / 24) ** 2 + (y / 60) ** 2 < 1] = 235
    (digit,) = digits.find(ring.astype(np.uint8)).digits
    assert digit.box.height > 160
    card = np.full((200, 200), 60, np.uint8)
    card[5:195, 5:195] = 235
    card[50:150, 90:110] = 50
    (digit,) = digits.find(card).digits
    assert digit.box == Box(50, 90, 150, 110)


@pytest.mark.parametrize("seed", range(3))
def test_dust_between_which_the_paper_is_narrow_is_no_ink(seed):
    clean = pixels(scenes.plain, label=5, seed=seed)
    dusty = pixels(scenes.specks, label=5, seed=seed)
    assert np.abs(form_of(clean).astype(int) - form_of(dusty)).mean() < 8


def test_a_photo_that_was_shrunk_by_its_decoder_has_boxes_in_its_own_pixels():
    page = bar(4000, 3000)
    shrunk = np.asarray(Image.fromarray(page).reduce(4))
    (whole,), (part,) = digits.find(page).digits, digits.find(shrunk, photo=page.shape).digits
    for side in ("top", "left", "bottom", "right"):
        assert getattr(part.box, side) == pytest.approx(getattr(whole.box, side), abs=16)


@pytest.mark.parametrize(("gap", "digits_seen"), [(15, 1), (30, 2)])
def test_a_stroke_that_floats_above_its_digit_is_a_part_of_it_and_another_line_of_writing_is_not(gap, digits_seen):
    page = np.full((400, 300), 255, np.uint8)
    page[150 - gap - 60 : 150 - gap, 122:132] = 0
    page[150:250, 120:130] = 0
    assert len(digits.find(page).digits) == digits_seen


@pytest.mark.parametrize(("gap", "digits_seen"), [(14, 1), (40, 2)])
def test_a_stem_that_stands_apart_belongs_to_its_4_and_the_next_digit_does_not(gap, digits_seen):
    page = np.full((300, 300), 255, np.uint8)
    page[60:160, 60:76] = page[144:160, 60:140] = 0
    page[60:240, 140 + gap : 156 + gap] = 0
    assert len(digits.find(page).digits) == digits_seen


def test_digits_side_by_side_are_two_however_near():
    page = np.full((300, 400), 255, np.uint8)
    for left in (60, 174):
        page[60:240, left : left + 100] = 0
        page[80:220, left + 20 : left + 80] = 255
    assert len(digits.find(page).digits) == 2


def test_a_flat_0_is_a_digit_and_a_dash_is_none():
    y, x = np.mgrid[0:200, 0:300] - np.array([100.0, 150.0])[:, np.newaxis, np.newaxis]
    ring = np.where((x / 100) ** 2 + (y / 44) ** 2 < 1, 50, 235)
    ring[(x / 80) ** 2 + (y / 24) ** 2 < 1] = 235
    (digit,) = digits.find(ring.astype(np.uint8)).digits
    assert digit.box.width == pytest.approx(200, abs=4)
    dash = np.full((200, 300), 235, np.uint8)
    dash[90:110, 100:200] = 50
    assert digits.find(dash).refusal is not None
