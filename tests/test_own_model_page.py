"""docs/own-model.md, followed to the letter: each line of its shell blocks, in a folder with images and a model."""

import shlex

import numpy as np
import pytest

from tests.pages import DOCS, blocks
from toolkit import data, extras
from toolkit.cli import call

PAGE = DOCS / "own-model.md"
# The pictures of the page's fruit: two digits of the sample.
FRUIT = {"apple": 0, "pear": 1}
IMAGES = 60
# The figures are not looked at.
QUICKLY = {"train": ("--epochs", "3"), "bench": ("--seconds", "0.05", "--processes", "1")}
# 24 test images prove no margin of 0.5 points.
EXIT_CODES = {"verify exported/my-classifier": 3}

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(here):
    """What the page begins with: fruit/, my_net.py and my-classifier.keras."""
    from PIL import Image

    sample = data.load("sample", warn=pytest.fail).train
    for name, label in FRUIT.items():
        (here / "fruit" / name).mkdir(parents=True)
        for row, image in enumerate(sample.images[sample.labels == label][:IMAGES]):
            Image.fromarray(image[..., 0]).save(here / "fruit" / name / f"{row:03}.png")
    keras = extras.load("keras")
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(len(FRUIT), activation="softmax"),
        ]
    )
    images = np.concatenate([sample.images[sample.labels == label][:IMAGES] for label in FRUIT.values()])

    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images / 255, np.repeat(range(len(FRUIT)), IMAGES), epochs=5, verbose=0)
    model.save(here / "my-classifier.keras")
    (here / "my_net.py").write_text("".join(blocks(PAGE, "python")))
    return here


def test_every_line_of_the_page_runs(folder, brief, capsys):
    """In this process: a line has nothing but the words of one command, and each would load TensorFlow anew."""
    shown = ""
    for line in "".join(blocks(PAGE, "sh")).splitlines():
        program, verb, *arguments = shlex.split(line, comments=True)
        code = call([verb, *arguments, *QUICKLY.get(verb, ())])
        out, err = capsys.readouterr()
        assert (program, code) == ("toolkit", EXIT_CODES.get(f"{verb} {arguments[0]}", 0)), f"{line}\n{err}"
        shown += out
    assert "verdict: inconclusive" in shown
    assert "ship: " in shown
    assert len(list(folder.glob("my-classifier-*.zip"))) == 1
    assert (folder / "exported" / "cnn" / "cnn-int8.tflite").is_file()
