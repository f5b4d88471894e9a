"""The code in the terminal, read back by its own modules."""

import pytest

from toolkit.serve import qr

LINK = "http://192.168.1.5:8000/?token=abcdefghijklmnopqrstuvwxyz012345"


def modules(lines):
    """Return the rows of dark modules that the blocks stand for."""
    upper, lower = {"█": 0, "▀": 0, "▄": 1, " ": 1}, {"█": 0, "▄": 0, "▀": 1, " ": 1}
    return [[half[block] for block in line] for line in lines for half in (upper, lower)]


def test_the_blocks_are_the_modules_of_the_code_with_a_light_border():
    segno = pytest.importorskip("segno")
    expected = [list(row) for row in segno.make(LINK, micro=False).matrix]
    drawn = modules(qr.draw(LINK))
    side = len(expected)
    inner = [row[qr.BORDER : qr.BORDER + side] for row in drawn[qr.BORDER : qr.BORDER + side]]
    assert inner == expected
    assert not any(any(row) for row in drawn[: qr.BORDER])
    assert not any(row[column] for row in drawn[: qr.BORDER + side] for column in range(qr.BORDER))
    assert set("".join(qr.draw(LINK))) <= set(qr.BLOCKS)
