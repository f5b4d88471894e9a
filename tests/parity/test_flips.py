"""The picture of made-up flips."""

from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.parity import flips
from toolkit.parity.figures import Flip


def part(**found):
    """Of a made-up model: the flips that each artifact has, None for one without outputs."""
    comparisons = [
        SimpleNamespace(
            artifact=f"exported/{name}", figures=None if of is None else SimpleNamespace(flips=of, changed=len(of))
        )
        for name, of in found.items()
    ]
    images = SimpleNamespace(images=np.zeros((10, 4, 4, 1), np.uint8))
    return SimpleNamespace(comparisons=comparisons, expected=images, class_names=("cat", "dog", "fish"))


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draw parts; returns how many images are shown, the heading, and of each image its title, colour and names."""
    from matplotlib.figure import Figure

    figures = []
    real = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *to, **how: figures.append(self) or real(self, *to, **how))

    def draw(*parts):
        count = flips.draw(tmp_path / "flips.png", parts)
        assert (tmp_path / "flips.png").read_bytes()[:4] == b"\x89PNG"
        (figure,) = figures
        tiles = [
            (axes.get_title(), axes.title.get_color(), [text.get_text() for text in axes.texts])
            for axes in figure.axes
            if axes.images
        ]
        return count, figure.get_suptitle(), tiles

    return draw


def test_each_image_is_shown_once_with_the_artifacts_that_flip_it_and_the_colour_of_what_became_of_it(drawn):
    lost, gained, other = Flip(7, 0, 0, 1), Flip(2, 1, 0, 1), Flip(3, 2, 0, 1)
    count, heading, tiles = drawn(part(one=(lost, gained), two=(lost, other), broken=None))
    assert (count, heading) == (3, "Images that an artifact classifies differently from Keras; without outputs: broken")
    assert tiles == [
        ("#2: dog\nKeras cat → dog", flips.COLOURS["gained"], ["one"]),
        ("#3: fish\nKeras cat → dog", flips.COLOURS["both wrong"], ["two"]),
        ("#7: cat\nKeras cat → dog", flips.COLOURS["lost"], ["one\ntwo"]),
    ]


def test_where_nothing_flips_it_says_so(drawn):
    assert drawn(part(one=())) == (0, "No image changes its class", [])


def test_of_very_many_flips_the_first_are_shown(drawn, monkeypatch):
    monkeypatch.setattr(flips, "MOST_TILES", 2)
    count, heading, tiles = drawn(part(one=tuple(Flip(index, 0, 0, 1) for index in range(3))))
    assert (count, len(tiles)) == (2, 2)
    assert heading.endswith("from Keras (the first 2; 3 flips in all)")
