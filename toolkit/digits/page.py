"""Find the digits in a photo or scan: dark on light or light on dark, under uneven light, among lines and borders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.digits import components, cut, form, ink, lines, strokes
from toolkit.digits.components import Box, Component
from toolkit.digits.ink import Ink

# A photo is shrunk to at most this many pixels along its longer side: a digit of a tenth of it is still 60 high.
WORK_SIDE = 640
# Of a photo that its decoder can shrink, so many pixels of the shorter side are enough.
ENOUGH = WORK_SIDE
# Windows in which the paper is estimated, in shares of the shorter side. The right one is wider than a stroke and
# narrower than a shadow; it is the first whose digits are those of the one before.
WINDOW_SHARES = (0.1, 0.2, 0.4, 0.8, 1.2)
LEAST_WINDOW = 4
# Two windows agree where this share of the ink that either sees is seen by both.
AGREEMENT = 0.8
# Digits of fewer rows, when the photo is shrunk, are too small to be read.
LEAST_HEIGHT = 8
# The blurred edge of a stroke is as wide as this share of the digit.
EDGE_SHARE = 0.02
# What fills more than this share of its box is a card if what is on it has this share of its side, and is no hole.
CARD, ON_CARD = 0.6, 0.4
# Ink that covers more of the page is the paper between lines, in the other polarity.
MOST_INK = 0.64
# What has no side of more than these shares of the page's shorter side, and of the largest patch's side, is dust.
SPECK, SPECK_OF_LARGEST = 0.025, 0.06
# Where the noise has a larger standard deviation, in grey levels, specks are the paper's grain.
GRAINY = 10.0
# Around the box of a digit, as wide as this share of it, at most this share is ink of the other polarity.
BESIDE, INK_BESIDE = 0.05, 0.35


@dataclass(frozen=True)
class Digit:
    """One digit of a page. box: in pixels of the photo; ink: (h, w) in [0, 1], cut to the digit."""

    box: Box
    ink: NDArray[np.float32]


@dataclass(frozen=True)
class Page:
    """What was found in a photo. Arrays are (H, W) of the shrunk photo.

    grey: the photo; paper: its grey levels without the ink; strength: of the ink, in [0, 1]; owner: 0 for paper, n for
    the strokes of the digit n, counted from 1, and -1 for other ink. times: how many pixels of the photo one side of a
    pixel is. digits: in reading order. refusal: why they cannot be read; None if they can.
    """

    grey: NDArray[np.uint8]
    paper: NDArray[np.uint8]
    strength: NDArray[np.float32]
    owner: NDArray[np.int32]
    times: int
    digits: tuple[Digit, ...]
    refusal: str | None


@dataclass(frozen=True)
class _Candidate:
    """The digits that one polarity and one window show."""

    light: bool
    measured: Ink
    labels: NDArray[np.int32]
    patches: list[Component]
    groups: list[list[Component]]

    @property
    def mask(self) -> NDArray[np.bool_]:
        chosen = np.zeros(int(self.labels.max()) + 1, bool)
        chosen[[one.label for group in self.groups for one in group]] = True
        mask: NDArray[np.bool_] = chosen[self.labels]
        return mask

    @property
    def is_texture(self) -> bool:
        """Whether there are more figures than anybody writes."""
        return len(self.groups) > strokes.MOST_DIGITS

    @property
    def is_hole(self) -> bool:
        """Whether a patch is too thick for a stroke: the hole of a bold digit, in the other polarity."""
        largest = [max(group, key=lambda one: one.area) for group in self.groups]
        return any(
            form.stroke_width(self.labels[one.box.slices] == one.label) > strokes.HOLE * one.box.side for one in largest
        )

    @property
    def box(self) -> Box:
        return strokes.box_of([one for group in self.groups for one in group])


def find(pixels: NDArray[np.uint8], *, photo: tuple[int, int] | None = None) -> Page:
    """Find the digits on a (H, W) page of grey levels; the page says why if there is none that can be read.

    photo: (H, W) of the photo, of which the pixels are as large a part as its decoder made; None: they are the photo.
    """
    photo = photo or (pixels.shape[0], pixels.shape[1])
    grey, times = _shrunk(pixels)
    times *= round(max(photo) / max(pixels.shape))
    margin = cut.margin(grey)
    chosen, refusal = _cut_out(grey, margin) if margin else _agreed(grey)
    owner = np.where(chosen.labels > 0, -1, 0).astype(np.int32)
    digits = []
    for number, group in enumerate(strokes.in_reading_order(chosen.groups), start=1):
        mask = np.isin(chosen.labels, [one.label for one in group])
        owner[mask] = number
        box = strokes.box_of(group)
        inside = box.moved(-margin, grey.shape).scaled(times, photo)
        digits.append(Digit(inside, _cut(chosen.measured.strength, mask, box)))
    paper = 255 - chosen.measured.paper if chosen.light else chosen.measured.paper
    refusal = refusal or _unreadable(digits, times)
    seen = slice(margin, margin + grey.shape[0]), slice(margin, margin + grey.shape[1])
    return Page(grey, paper[seen], chosen.measured.strength[seen], owner[seen], times, tuple(digits), refusal)


def _unreadable(digits: Sequence[Digit], times: int) -> str | None:
    highest, least = max(digit.box.height for digit in digits), LEAST_HEIGHT * times
    return f"the digit is {highest} pixels high; take it from nearer: at least {least}" if highest < least else None


def _shrunk(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    times = -(-max(pixels.shape) // WORK_SIDE)
    if times == 1:
        return pixels, 1
    pil: Any = extras.load("PIL.Image")
    return np.asarray(pil.fromarray(pixels).reduce(times)), times


def _windows(grey: NDArray[np.uint8]) -> list[int]:
    return sorted({max(LEAST_WINDOW, round(share * min(grey.shape))) for share in WINDOW_SHARES})


def _look(grey: NDArray[np.uint8], window: int, *, light: bool) -> _Candidate:
    measured = ink.measure(255 - grey if light else grey, window=window)
    if measured.threshold is None:
        return _Candidate(light, measured, np.zeros(grey.shape, np.int32), [], [])
    mask = measured.strength >= measured.threshold
    if mask.mean() > MOST_INK:
        return _Candidate(light, measured, np.zeros(grey.shape, np.int32), [], [])
    labels, patches = components.label(lines.without_lines(mask))
    return _Candidate(light, measured, labels, patches, strokes.grouped(patches, labels))


def _without_specks(grey: NDArray[np.uint8], both: Sequence[_Candidate]) -> NDArray[np.uint8] | None:
    """Return the page with paper where dust is, dark or light; None if there is none.

    The paper between specks is too narrow for a window, and looks like ink of the other polarity.
    """
    if ink.noise(grey) > GRAINY:
        return None
    largest = max((one.box.side for candidate in both for one in candidate.patches), default=0)
    most = min(SPECK * min(grey.shape), SPECK_OF_LARGEST * largest)
    clean = None
    for candidate in both:
        specks = np.zeros(int(candidate.labels.max()) + 1, bool)
        specks[[one.label for one in candidate.patches if one.box.side <= most]] = True
        if specks.any():
            paper = 255 - candidate.measured.paper if candidate.light else candidate.measured.paper
            clean = np.where(_dilated(specks[candidate.labels], 1), paper, grey if clean is None else clean)
    return clean


def _stands_on_paper(candidate: _Candidate, other: _Candidate) -> bool:
    """Say whether there is paper, and little ink of the other polarity, around the box of a candidate's digits."""
    if other.measured.threshold is None:
        return True
    box = candidate.box
    margin = box.grown(max(1, round(BESIDE * box.side)), candidate.labels.shape)
    ring = np.ones((margin.height, margin.width), bool)
    ring[box.top - margin.top : box.bottom - margin.top, box.left - margin.left : box.right - margin.left] = False
    beside = other.measured.strength[margin.slices][ring] >= other.measured.threshold
    return not beside.size or float(beside.mean()) <= INK_BESIDE


def _cut_out(grey: NDArray[np.uint8], margin: int) -> tuple[_Candidate, str | None]:
    """Return the digit that a photo was cut to, which is all that is no paper; else what is seen without a margin."""
    page, light = cut.padded(grey, margin)
    look = _look(page, _windows(page)[-1], light=light)
    return (look, None) if look.groups else _agreed(page)


def _agreed(grey: NDArray[np.uint8]) -> tuple[_Candidate, str | None]:
    """Return the digits on which the windows agree; else what the last one shows, and why it cannot be read.

    Digits with paper around them are taken if two windows show them, others if three do. What lies between strokes, or
    between a digit and its frame, looks like ink of the other polarity, but different in every window.
    """
    before: tuple[_Candidate, ...] = ()
    windows = [0, 0]
    for window in _windows(grey):
        both = _look(grey, window, light=False), _look(grey, window, light=True)
        if (clean := _without_specks(grey, both)) is not None:
            grey = clean
            both = _look(grey, window, light=False), _look(grey, window, light=True)
        same = [_agree(then, now) for then, now in zip(before, both, strict=False)] or [False, False]
        windows = [count + 1 if agrees else 1 for count, agrees in zip(windows, same, strict=True)]
        dark, light = both
        if all(same):
            return _figure(dark, light), None
        for candidate, other, count in ((dark, light, windows[0]), (light, dark, windows[1])):
            if count > 2 or (count == 2 and _stands_on_paper(candidate, other)):
                return candidate, None
        before = both
    if any(one.is_texture for one in before):
        empty = replace(before[0], groups=[])
        return (
            empty,
            f"no digit to be seen, but more than {strokes.MOST_DIGITS} patches of ink; cut out what is to be read",
        )
    if seen := [one for one in before if one.groups]:
        return seen[0], "no digit to be seen that can be told from shadows and texture; take it in even light"
    return before[0], f"no digit to be seen, {_instead(grey, before)}"


def _instead(grey: NDArray[np.uint8], looks: Sequence[_Candidate]) -> str:
    """Return what is to be seen on a page without digits."""
    if any(one.measured.threshold is not None for one in looks):
        return "at most lines, borders and specks"
    return "the image is of one brightness" if np.ptp(grey) < ink.LEAST_CONTRAST else "no ink stands out from the paper"


def _figure(dark: _Candidate, light: _Candidate) -> _Candidate:
    """Return the outer one of two polarities, unless it is a card or only the inner one stands on paper."""
    inner, outer = sorted((dark, light), key=lambda one: one.box.area)
    holds = inner.box.side >= ON_CARD * outer.box.side and not inner.is_hole
    is_card = holds and outer.mask.sum() > CARD * outer.box.area
    only_inner_stands = _stands_on_paper(inner, outer) and not _stands_on_paper(outer, inner)
    return inner if is_card or only_inner_stands else outer


def _agree(first: _Candidate, second: _Candidate) -> bool:
    if not first.groups or first.is_texture or first.light != second.light or len(first.groups) != len(second.groups):
        return False
    one, other = first.mask, second.mask
    return float((one & other).sum()) >= AGREEMENT * float((one | other).sum())


def _cut(strength: NDArray[np.float32], mask: NDArray[np.bool_], box: Box) -> NDArray[np.float32]:
    """Return the digit's ink: the full strength of its strokes is 1, their blurred edges are kept, other ink is not."""
    edge = max(1, round(EDGE_SHARE * box.side))
    around = box.grown(edge, mask.shape)
    cut, strokes_only = strength[around.slices], mask[around.slices]
    full = float(np.median(cut[strokes_only]))
    near = _dilated(strokes_only, edge)
    scaled = np.clip(cut / full, 0.0, 1.0)
    return np.where(near & (scaled >= form.FAINT), scaled, np.float32(0.0))


def _dilated(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    for _ in range(pixels):
        padded = np.pad(mask, 1)
        mask = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | padded[1:-1, 1:-1]
    return mask
