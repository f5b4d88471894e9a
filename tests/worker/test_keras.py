"""Keras files: whatever is in them happens in a worker first, and is one line here."""

import json
import re
import zipfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fuzz.changes import change
from toolkit import extras
from toolkit.cli import call
from toolkit.data.base.parts import divide
from toolkit.errors import ArtifactError
from toolkit.export import exporter
from toolkit.export.sources import resolve
from toolkit.files import sha256
from toolkit.reading import Reading
from toolkit.training import distillation, transfer
from toolkit.training.recipe import Recipe
from toolkit.worker import keras, process, session


def swell(path, units=5_000_000):
    """Make the first dense layer of a Keras file so wide that its weights, which the file lacks, take gigabytes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    dense = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")
    dense["config"]["units"] = units
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.parametrize("verb", ["export", "verify"])
def test_a_keras_file_that_would_fill_the_memory_is_one_line(exported, tiny_npz, here, capsys, monkeypatch, verb):
    """In a worker that may take what TensorFlow needs on a CPU, and little more."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(keras, "contained", session.contained)
    monkeypatch.setenv(process.MEMORY_VARIABLE, "2e9")
    model = exported / "cnn.keras"
    swell(model)
    change(exported / "manifest.json", ("reference", "sha256"), sha256(model))
    assert call([verb, str(exported if verb == "verify" else model), "--data", str(tiny_npz)]) == 2
    assert re.search(
        r"error: .*cnn\.keras: keras took [\d,]+ bytes of memory and was ended\n\Z", capsys.readouterr().err
    )


@pytest.mark.slow
@pytest.mark.training
def test_a_file_that_cannot_be_run_on_rows_as_they_come_next_is_not_loaded(tmp_path):
    """Of a size that it leaves free, here an even one; other rows are refused by whoever loads it, in its own words."""
    layers, path = extras.load("keras").layers, tmp_path / "free.keras"
    image = layers.Input((None, None, 1))
    halved = layers.UpSampling2D(2)(layers.MaxPooling2D(2)(image))
    answer = layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Concatenate()([image, halved])))
    extras.load("keras").Model(image, answer).save(path)
    for rows in ((), (2, 8, 8, 1), (2, 7, 7, 3), (2, 7)):
        assert keras.load_model(path, rows).input_shape == (None, None, None, 1)
    with pytest.raises(ArtifactError, match=r"free\.keras: Keras cannot run it: "):
        keras.load_model(path, (2, 7, 7, 1))


def test_who_loads_a_file_says_what_it_is_asked_next(here, tiny, monkeypatch):
    def load_model(path, rows, **_):
        raise ArtifactError(f"{path} is tried on {rows}")

    for user in (transfer, distillation, exporter):
        monkeypatch.setattr(user, "load_model", load_model)
    path, parts = here / "own.keras", divide(tiny, share=0.2, seed=0)
    path.write_bytes(b"own")
    with pytest.raises(ArtifactError, match=r"is tried on \(50, 8, 8, 1\)"):
        transfer.start(None, Recipe(model=str(path)), parts, tries_range=False, warn=pytest.fail)
    with pytest.raises(ArtifactError, match=r"is tried on \(240, 8, 8, 1\)"):
        distillation.Teacher(None, path, parts)
    options = exporter.ExportOptions([], input_shape=(6, 6, 1))
    with pytest.raises(ArtifactError, match=r"is tried on \(10, 6, 6, 1\)"):
        exporter.export(resolve(str(path)), tiny, here / "out", options, warn=pytest.fail)


def test_data_are_read_as_asked_else_as_recorded_and_photos_in_the_size_of_the_model(tmp_path, tiny_npz, monkeypatch):
    (tmp_path / "photos" / "apple").mkdir(parents=True)
    (tmp_path / "photos" / "apple" / "1.png").touch()
    photos, files, loaded = str(tmp_path / "photos"), (tmp_path / "first.keras", tmp_path / "second.keras"), []

    def load_model(path, try_out):
        loaded.append(path.name)
        return SimpleNamespace(input_shape=(None, 8, 6))

    monkeypatch.setattr(keras, "load_model", load_model)
    assert keras.reading_for(photos, None, None, *files) == Reading(model_shape=(8, 6, 1))
    assert keras.reading_for(photos, Reading(resize="crop"), None, *files) == Reading(
        resize="crop", model_shape=(8, 6, 1)
    )
    assert loaded == ["first.keras"] * 2
    recorded = Reading(image_size=(9, 9), resize="fit", model_shape=(9, 9, 3))
    assert keras.reading_for(photos, None, recorded, *files) == recorded
    assert keras.reading_for(photos, Reading(resize="crop"), recorded, *files) == Reading(
        resize="crop", model_shape=(9, 9, 3)
    )
    assert keras.reading_for(str(tiny_npz), None, None, *files) == Reading()
    assert keras.reading_for(str(tiny_npz), None, recorded) == Reading()
    keys = Reading(keys={"x_train": "a"})
    assert keras.reading_for(str(tiny_npz), keys, recorded) == keys
    assert keras.reading_for(photos, None, None) == Reading()
    assert loaded == ["first.keras"] * 2


@pytest.fixture
def tries(monkeypatch):
    """The files that a worker is asked to try, which it refuses if they are called bad."""
    asked = []

    def try_out(path, rows):
        asked.append(path.name)
        if path.stem == "bad":
            raise ArtifactError("bad.keras: it crashed")

    @contextmanager
    def contained():
        yield SimpleNamespace(try_out=try_out)

    monkeypatch.setattr(keras, "contained", contained)
    monkeypatch.setattr(keras, "_TRIED", set())
    monkeypatch.setattr("toolkit.runtimes.keras.loading.load_model", lambda path: f"the model of {path.name}")
    return asked


def test_a_file_is_tried_once_and_one_that_fails_is_never_loaded(tmp_path, tries):
    for name in ("good", "again", "bad"):
        (tmp_path / f"{name}.keras").write_bytes(b"bad" if name == "bad" else b"good")
    assert keras.load_model(tmp_path / "good.keras") == "the model of good.keras"
    assert keras.load_model(tmp_path / "again.keras") == "the model of again.keras"
    for _ in range(2):
        with pytest.raises(ArtifactError, match="it crashed"):
            keras.load_model(tmp_path / "bad.keras")
    assert tries == ["good.keras", "bad.keras", "bad.keras"]
    with pytest.raises(ArtifactError, match=r"none\.keras: no such file"):
        keras.load_model(tmp_path / "none.keras")


def test_only_the_weights_of_a_run_below_runs_are_not_tried(here, tries):
    for folder in (Path("runs/own"), Path("downloads/run")):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "best.keras").write_bytes(str(folder).encode())
    keras.load_model(Path("runs/own/best.keras"))
    keras.load_model(here / "runs/own/best.keras")
    assert tries == []
    keras.load_model(Path("downloads/run/best.keras"))
    Path("runs/link").symlink_to(here / "downloads" / "run")
    Path("downloads/run/best.keras").write_bytes(b"others")
    keras.load_model(Path("runs/link/best.keras"))
    assert tries == ["best.keras", "best.keras"]
