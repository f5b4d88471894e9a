"""How data were read is recorded by the run and the manifest, and done again by what comes after."""

import json

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from tests.data.pets import mixed
from toolkit import api
from toolkit.entries import RecordedRecipe
from toolkit.errors import DataError
from toolkit.export import sources
from toolkit.export.sources import parts_of
from toolkit.reading import Reading
from toolkit.training.recipe import Recipe

# The images are noise: that no range makes the model any good is said, and no matter here.
NOISE = pytest.mark.filterwarnings("ignore:.* chance:toolkit.errors.ToolkitWarning")


@NOISE
@pytest.mark.slow
def test_a_folder_of_photos_goes_the_whole_road_in_one_size(tmp_path, here):
    folder, asked = mixed(tmp_path / "pets"), Reading(image_size=(6, 6), resize="crop")
    run = api.train("mlp", data=folder, name="pets", epochs=1, batch_size=8, reading=asked)
    assert sources.resolve("pets").reading == asked
    api.train(data=folder, name="pets", epochs=2, resume=True)
    exported = api.export(run, format="tflite", quantize="float32", calibration=4)
    document = json.loads((exported.manifest.folder / "manifest.json").read_text())
    assert document["data"]["reading"] == {"image_size": [6, 6], "resize": "crop"}
    assert sources.resolve(str(exported.manifest.folder)).reading == asked
    parity = api.verify(exported, data=folder)
    assert parity.parts[0].dataset["n"] == 4
    assert parity.parts[0].expected.images.shape[1:] == (6, 6, 1)


@NOISE
@pytest.mark.slow
def test_a_model_of_ones_own_gets_photos_in_the_size_that_it_takes(tmp_path, here):
    from toolkit import extras

    keras = extras.load("keras")
    layers = [keras.Input((5, 7, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    keras.Sequential(layers).save(tmp_path / "own.keras")
    folder = mixed(tmp_path / "pets")
    cropped = Reading(resize="crop")  # which leaves the size to the model
    wanted = {"format": "tflite", "quantize": "float32", "calibration": 4, "reading": cropped}
    exported = api.export(tmp_path / "own.keras", data=folder, **wanted)
    assert exported.manifest.data.reading == Reading(image_size=(5, 7), resize="crop", model_shape=(5, 7, 3))
    parity = api.verify(exported, data=folder, reading=cropped)
    assert parity.parts[0].expected.images.shape[1:] == (5, 7, 3)
    # The run knows that the grey photos are given in colours.
    run = api.train(str(tmp_path / "own.keras"), data=folder, name="own", epochs=1, batch_size=8, reading=cropped)
    for asked in (None, cropped):
        assert api.export(run, output="again", **{**wanted, "reading": asked}).manifest.data == exported.manifest.data


def test_the_rows_that_an_export_calibrates_on_are_those_that_were_learned_from():
    images, labels, test, test_labels = tiny_arrays()
    order = np.argsort(labels, kind="stable")
    from toolkit.data.base import make_dataset
    from toolkit.data.base.parts import divide

    dataset = make_dataset((images[order], labels[order], test, test_labels), name="x", origin="x")
    recipe = RecordedRecipe(**Recipe(model="mlp", seed=3).to_json())
    expected = divide(dataset, share=0.2, seed=3)
    assert parts_of(recipe, dataset).training_rows.tolist() == expected.training_rows.tolist()
    assert len(parts_of(None, dataset).training_rows) == 240


@pytest.mark.slow
def test_test_images_that_are_validation_images_of_the_data_are_refused(tmp_path, here):
    images, labels, test, test_labels = tiny_arrays()
    arrays = {"x_train": images, "y_train": labels, "x_test": test, "y_test": test_labels}
    np.savez(tmp_path / "x.npz", **arrays, x_val=test[:9], y_val=test_labels[:9])
    with pytest.raises(DataError, match="9 of the 90 test images are validation images too"):
        api.train("mlp", data=tmp_path / "x.npz", name="x", epochs=1)
