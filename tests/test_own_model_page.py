"""docs/own-model.md, followed to the letter: each line of its shell blocks, in a folder with images and a model."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from toolkit import data, extras

PAGE = Path(__file__).parents[1] / "docs" / "own-model.md"
# The pictures of the page's fruit: two digits of the sample.
FRUIT = {"apple": 0, "pear": 1}
IMAGES = 60
# 24 test images prove no margin of 0.5 points.
INCONCLUSIVE = re.compile(r"^(toolkit verify exported/.*)$", re.MULTILINE)

pytestmark = pytest.mark.slow


def lines():
    return "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))


def own_net():
    """Return the page's my_net.py."""
    return re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the page begins with: fruit/, my_net.py and my-classifier.keras."""
    from PIL import Image

    place = tmp_path_factory.mktemp("own")
    sample = data.load("sample", warn=pytest.fail).train
    for name, label in FRUIT.items():
        (place / "fruit" / name).mkdir(parents=True)
        for row, image in enumerate(sample.images[sample.labels == label][:IMAGES]):
            Image.fromarray(image[..., 0]).save(place / "fruit" / name / f"{row:03}.png")
    keras = extras.load("keras")
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(len(FRUIT), activation="softmax"),
        ]
    )
    images = np.concatenate([sample.images[sample.labels == label][:IMAGES] for label in FRUIT.values()])

    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images / 255, np.repeat(range(len(FRUIT)), IMAGES), epochs=5, verbose=0)
    model.save(place / "my-classifier.keras")
    (place / "my_net.py").write_text(own_net())
    return place


def test_every_line_of_the_page_runs(folder):
    script = INCONCLUSIVE.sub(r"\1 || test $? = 3", lines())
    assert script != lines()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    followed = subprocess.run(
        ["bash", "-evc", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert followed.returncode == 0, followed.stdout[-3000:] + followed.stderr[-3000:]
    assert "verdict: inconclusive" in followed.stdout
    assert "ship: " in followed.stdout
    assert len(list(folder.glob("my-classifier-*.zip"))) == 1
    assert (folder / "exported" / "cnn" / "cnn-int8.tflite").is_file()
