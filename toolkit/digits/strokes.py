"""Which patches of ink are strokes of a digit, and which belong together: frames, borders, blots and specks are not."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toolkit.digits.components import Box, Component, label
from toolkit.digits.form import stroke_width

# Patches of fewer pixels, or with a side of fewer, are specks.
LEAST_AREA, LEAST_SIDE = 4, 5
# What is this much wider than high is a dash, never a digit by itself: a 2 or a 0 may be flat.
WIDEST = 2.5
# A patch whose strokes are this thick, of its longer side, is a blot: a disc and a square have a half.
BLOT = 0.42
# The hole of a bold digit is as thick as this share of its longer side; an upright bar a third as wide is not.
HOLE = 0.26
# An 8 encloses two patches of paper. If those beyond so many are as large as this share of the ink, it is a mesh; the
# gaps in a line of pencil are not.
MOST_HOLES, MESH = 2, 0.5
# More digits than these are the texture of a surface, or a page of text: no more are told apart.
MOST_DIGITS = 100
# A patch that encloses one of at least this share of its side is a frame around it.
FRAMED = 0.25
# Beside a larger patch that touches the image's border (a finger, a shadow), one of this share of its side is a digit.
INSIDE = 0.2
# A patch of this share of the largest one's height is a digit of its own.
DIGIT = 0.5
# A smaller patch belongs to a digit that is nearer than this share of its height, if it has this share of its area.
NEAR, PART = 0.15, 0.01
# Strokes of one digit differ in thickness by this factor at most.
THICKER = 1.4
# The distance of two patches is measured between this many pixels of each.
POINTS = 400
# Two patches are strokes of one digit if they lie over each other for this share of the narrower one's width and
# are nearer than this share of the higher one's height: a 5's flag may float above it, lines of writing are farther.
OVERLAP, TOUCHING = 0.5, 0.2
# Or if their ink is nearer than this share of the height of both together, and both are not wider than so much of it: a
# 4's stem may stand apart, and digits side by side are farther apart or wider.
APART, SLENDER = 0.1, 0.9


def grouped(components: Sequence[Component], labels: NDArray[np.int32]) -> list[list[Component]]:
    """Return the patches of each digit, the largest digit first; an empty list if there is none.

    labels: (H, W), what the components are numbered in. If there are more than MOST_DIGITS, the others are left out.
    """
    patches = [one for one in components if one.area >= LEAST_AREA and one.box.side >= LEAST_SIDE]
    patches = _without_frames(patches)
    candidates = sorted(
        (one for one in patches if _is_candidate(one, labels)), key=lambda one: one.box.height, reverse=True
    )
    candidates = _inside(candidates, labels.shape)
    if not candidates:
        return []
    least = DIGIT * candidates[0].box.height
    groups: list[list[Component]] = []
    boxes: list[Box] = []
    for one in candidates:
        if one.box.height < least:
            continue
        for number, (group, box) in enumerate(zip(groups, boxes, strict=True)):
            if _strokes_of_one(box, one.box) or _nearly_touch(group, box, one, labels):
                group.append(one)
                boxes[number] = box.joined(one.box)
                break
        else:
            groups.append([one])
            boxes.append(one.box)
            if len(groups) > MOST_DIGITS:
                return groups
    taken = {one.label for group in groups for one in group}
    corners = np.array([_corners(box) for box in boxes])
    for one in patches:
        if one.label not in taken:
            nearest = int(np.argmin(_gaps(corners, one.box)))
            if _belongs(groups[nearest], boxes[nearest], one, labels):
                groups[nearest].append(one)
                boxes[nearest] = boxes[nearest].joined(one.box)
                corners[nearest] = _corners(boxes[nearest])
    return groups


def box_of(group: Sequence[Component]) -> Box:
    """Return the box around the patches of a digit."""
    box = group[0].box
    for one in group[1:]:
        box = box.joined(one.box)
    return box


def in_reading_order(groups: Sequence[list[Component]]) -> list[list[Component]]:
    """Return digits line by line, from left to right: what shares half of its height with a line belongs to it."""
    lines: list[tuple[Box, list[list[Component]]]] = []
    for group in sorted(groups, key=lambda one: box_of(one).top):
        box = box_of(group)
        for number, (line, members) in enumerate(lines):
            shared = min(line.bottom, box.bottom) - max(line.top, box.top)
            if shared >= 0.5 * min(line.height, box.height):
                lines[number] = (line.joined(box), [*members, group])
                break
        else:
            lines.append((box, [group]))
    return [group for _, members in lines for group in sorted(members, key=lambda one: box_of(one).left)]


def _without_frames(patches: Sequence[Component]) -> list[Component]:
    """Return the patches without those that enclose another one of a size like theirs."""
    from_left = sorted(patches, key=lambda one: one.box.left)
    tops, lefts, bottoms, rights = np.array([_corners(one.box) for one in from_left], int).reshape(-1, 4).T
    sides = np.maximum(bottoms - tops, rights - lefts)

    def is_frame(box: Box) -> bool:
        beside = slice(*np.searchsorted(lefts, (box.left, box.right), side="right"))
        inside = (tops[beside] > box.top) & (bottoms[beside] < box.bottom) & (rights[beside] < box.right)
        return bool((inside & (sides[beside] >= FRAMED * box.side)).any())

    return [one for one in patches if not is_frame(one.box)]


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.top, box.left, box.bottom, box.right


def _gaps(corners: NDArray[np.intp], box: Box) -> NDArray[np.float64]:
    """Return the distance of boxes, given by their corners in rows, to another box, as ``Box.gap`` does."""
    top, left, bottom, right = corners.T
    rows, columns = np.maximum(box.top - bottom, top - box.bottom), np.maximum(box.left - right, left - box.right)
    gaps: NDArray[np.float64] = np.hypot(np.maximum(rows, 0), np.maximum(columns, 0))
    return gaps


def _is_candidate(one: Component, labels: NDArray[np.int32]) -> bool:
    if one.box.width > WIDEST * one.box.height:
        return False
    mask = labels[one.box.slices] == one.label
    return stroke_width(mask) <= BLOT * one.box.side and not _is_mesh(mask)


def _is_mesh(mask: NDArray[np.bool_]) -> bool:
    """Say whether a patch of ink encloses more paper than a digit."""
    if holes(mask) <= MOST_HOLES:
        return False
    _, (_, *enclosed) = label(np.pad(~mask, 1, constant_values=True))  # the first patch of paper is all around
    areas = sorted(one.area for one in enclosed)
    return sum(areas[:-MOST_HOLES]) >= MESH * float(mask.sum())


def holes(mask: NDArray[np.bool_]) -> int:
    """Return the number of holes in a mask of one component, by Euler's formula: corners - edges + pixels."""
    padded = np.pad(mask, 1)
    up, down = padded[:-1], padded[1:]
    either = up | down
    corners = (either[:, :-1] | either[:, 1:]).sum()
    edges = either.sum() + (padded[:, :-1] | padded[:, 1:]).sum()
    return 1 - int(corners - edges + mask.sum())


def _inside(candidates: list[Component], shape: tuple[int, ...]) -> list[Component]:
    """Return the candidates that touch no border of the image, if they are large enough; else all."""
    inside = [one for one in candidates if not touches_border(one.box, shape)]
    if inside and inside[0].box.side >= INSIDE * candidates[0].box.side:
        return inside
    return candidates


def touches_border(box: Box, shape: tuple[int, ...]) -> bool:
    """Say whether a box reaches the border of an image of a shape."""
    return box.top == 0 or box.left == 0 or box.bottom == shape[0] or box.right == shape[1]


def _strokes_of_one(first: Box, second: Box) -> bool:
    shared = min(first.right, second.right) - max(first.left, second.left)
    near = first.gap(second) <= TOUCHING * max(first.height, second.height)
    return near and shared >= OVERLAP * min(first.width, second.width)


def _nearly_touch(group: Sequence[Component], box: Box, one: Component, labels: NDArray[np.int32]) -> bool:
    whole = box.joined(one.box)
    if whole.width > SLENDER * whole.height or box.gap(one.box) > APART * whole.height:
        return False
    return min(_distance(member, one, labels) for member in group) <= APART * whole.height


def _belongs(group: Sequence[Component], box: Box, one: Component, labels: NDArray[np.int32]) -> bool:
    """Say whether a small patch is a stroke of a digit: near, no speck, and not thicker than a stroke of it."""
    largest = max(group, key=lambda member: member.area)
    if not PART * largest.area <= one.area <= largest.area or box.gap(one.box) > NEAR * box.height:
        return False
    if touches_border(one.box, labels.shape) and not touches_border(box, labels.shape):
        return False
    thickest = THICKER * stroke_width(labels[largest.box.slices] == largest.label)
    return stroke_width(labels[one.box.slices] == one.label) <= thickest and (
        _distance(largest, one, labels) <= NEAR * box.height
    )


def _distance(first: Component, second: Component, labels: NDArray[np.int32]) -> float:
    """Return the distance between two patches, to within a few pixels if they are large."""
    points = []
    for one in (first, second):
        inside = np.argwhere(labels[one.box.slices] == one.label) + np.array((one.box.top, one.box.left))
        points.append(inside[:: -(-len(inside) // POINTS)])
    return float(np.sqrt(((points[0][:, np.newaxis] - points[1]) ** 2).sum(axis=2).min()))
