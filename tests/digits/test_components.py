"""Patches of ink are told apart as a search from pixel to pixel does it."""

import numpy as np
import pytest

from toolkit.digits import Box
from toolkit.digits.components import Component, label


def flooded(mask: np.ndarray) -> np.ndarray:
    """The same by a search from pixel to pixel."""
    labels, count = np.zeros(mask.shape, int), 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        count += 1
        labels[start], waiting = count, [start]
        while waiting:
            row, column = waiting.pop()
            for y in range(max(0, row - 1), min(mask.shape[0], row + 2)):
                for x in range(max(0, column - 1), min(mask.shape[1], column + 2)):
                    if mask[y, x] and not labels[y, x]:
                        labels[y, x] = count
                        waiting.append((y, x))
    return labels


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_components_are_those_of_a_flood(share):
    mask = np.random.default_rng(0).random((40, 31)) < share
    labels, found = label(mask)
    expected = flooded(mask)
    pairs = set(zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == expected.max() + 1  # one to one, paper with paper
    for one in found:
        rows, columns = np.nonzero(labels == one.label)
        box = Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
        assert one == Component(one.label, box, rows.size)


def test_a_spiral_is_one_component():
    mask = np.zeros((41, 41), bool)
    for inset in range(0, 20, 4):
        mask[inset, inset : 41 - inset] = mask[40 - inset, inset : 41 - inset] = True
        mask[inset : 41 - inset, inset] = mask[inset : 41 - inset, 40 - inset] = True
        mask[inset : inset + 5, inset : inset + 5] |= np.eye(5, dtype=bool)
    assert len(label(mask)[1]) == 1


def test_patches_touch_by_a_corner_and_not_around_the_end_of_a_row():
    assert len(label(np.array([[1, 0], [0, 1]], bool))[1]) == 1
    assert len(label(np.array([[0, 0, 1], [1, 0, 0]], bool))[1]) == 2


def test_no_ink_is_no_component():
    labels, found = label(np.zeros((3, 4), bool))
    assert labels.shape == (3, 4)
    assert found == []
