"""Train the CNN on the tiny data and export it, where the tests find it."""

import os
import shutil

from tests.conftest import tiny_arrays
from tests.stored import EXPORTED, HERE, RUN
from toolkit.data.base import make_dataset
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.sources import resolve
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe

RECIPE = Recipe(model="cnn", epochs=4, batch_size=16, learning_rate=0.003)


def main() -> None:
    os.chdir(HERE)  # a run names its checkpoint by its path
    for folder in (RUN, EXPORTED):
        shutil.rmtree(folder, ignore_errors=True)
    tiny = make_dataset(tiny_arrays(), name="tiny", origin="tests")
    train(RECIPE, tiny, RUN)
    export(resolve(str(RUN)), tiny, EXPORTED, ExportOptions(plan([], []), calibration_count=50), warn=print)
    shutil.rmtree(RUN / "tensorboard")
    for unread in (RUN / "state.npz", EXPORTED / "export.log"):
        unread.unlink()


if __name__ == "__main__":
    main()
