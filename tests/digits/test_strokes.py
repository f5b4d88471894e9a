"""Patches of ink that no digit has: meshes."""

import numpy as np
import pytest

from toolkit import digits
from toolkit.digits import strokes


def mesh(side: int, *, pitch: int, width: int, degrees: float) -> np.ndarray:
    """A page full of lines in both directions."""
    down, across = np.mgrid[0:side, 0:side]
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    lines = ((across * cosine + down * sine) % pitch < width) | ((down * cosine - across * sine) % pitch < width)
    return np.where(lines, 60, 225).astype(np.uint8)


@pytest.mark.parametrize("degrees", [10, 20, 45])
@pytest.mark.parametrize(("side", "pitch", "width"), [(400, 40, 6), (800, 80, 10)])
def test_a_mesh_is_no_digit(side, pitch, width, degrees):
    assert digits.find(mesh(side, pitch=pitch, width=width, degrees=degrees)).refusal is not None


@pytest.mark.parametrize(
    ("drawn", "holes"),
    [
        (["###", "#.#", "###"], 1),
        (["###", "#.#", "###", "#.#", "###"], 2),
        (["###", "#..", "###"], 0),
        ([".#.", "#.#", ".#."], 1),
        (["#.", ".#"], 0),
    ],
)
def test_holes_are_counted(drawn, holes):
    assert strokes.holes(np.array([[one == "#" for one in row] for row in drawn])) == holes
