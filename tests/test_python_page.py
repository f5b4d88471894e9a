"""docs/python.md and docs/example.py: every line of them runs."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.pages import DOCS, blocks

pytestmark = pytest.mark.slow


def test_the_examples_of_the_page_run_one_after_the_other(here, brief):
    from PIL import Image

    paper = np.full((100, 100), 255, np.uint8)
    paper[20:80, 45:55] = 0  # a one
    Image.fromarray(paper).save("photo.png")
    names = {}
    with warnings.catch_warnings():
        for block in blocks(DOCS / "python.md", "python"):
            exec(block, names)
    assert names["run"].test.accuracy > 0.8
    assert len(names["summary"]) == 6
    assert names["probabilities"].shape == (2, 10)
    assert 0 < names["seconds"] < 1
    assert Path(names["best"]).is_file()
    assert names["reason"] == "nowhere: no such file or folder"


def test_the_example_trains_exports_verifies_and_plots(here, capsys):
    """In this process, which may have TensorFlow loaded by now."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    runpy.run_path(str(DOCS / "example.py"), run_name="__main__")
    plt.close("all")
    assert "10 of 10 loss " in capsys.readouterr().out
    assert (here / "example.png").stat().st_size > 10_000
