"""Keras models that are refused before Keras sees them."""

import io
import zipfile

import numpy as np
import pytest

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.runtimes.keras.loading import load_model


def test_a_keras_file_whose_parts_are_too_large_is_refused_before_keras_sees_it(tmp_path, monkeypatch):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("config.json", b" " * (17 << 20))
    monkeypatch.setattr("toolkit.extras.load", pytest.fail)
    with pytest.raises(
        ArtifactError, match=r"bomb\.keras: cannot be read as a whole \.keras file: 'config\.json' claims 17,"
    ):
        load_model(path)


def in_pieces(file, h5py):
    file.create_dataset("bomb", (2**26, 10), "f4", chunks=(2**22, 10), compression="gzip")


def of_another_file(file, h5py):
    file.create_dataset("passwd", (64,), "u1", external=[("/etc/passwd", 0, 64)])


def from_another_model(file, h5py):
    layout = h5py.VirtualLayout((64,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "key", (64,))
    file.create_virtual_dataset("passwd", layout)


def behind_a_link(file, h5py):
    file["layer/passwd"] = h5py.ExternalLink("/etc/passwd", "key")


def never_written(file, h5py):
    file.create_dataset("bomb", (2**28, 10), "f4")


@pytest.mark.training
@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (in_pieces, "'bomb' is chunked or lies in other files"),
        (of_another_file, "'passwd' is chunked or lies in other files"),
        (from_another_model, "'passwd' is chunked or lies in other files"),
        (behind_a_link, "'layer/passwd' is chunked or lies in other files"),
        (never_written, r"its arrays claim more than its [\d,]+ bytes"),
    ],
)
@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_arrays_that_do_not_lie_in_their_file_are_refused_before_keras_sees_them(tmp_path, name, fill, says):
    h5py = extras.load("h5py")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["model_config"] = "{}"
        fill(file, h5py)
    path = tmp_path / name
    if name == "model.h5":
        path.write_bytes(content.getvalue())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", content.getvalue())
    with pytest.raises(ArtifactError, match=rf"{name}: cannot be read as .*{says}"):
        load_model(path)


@pytest.mark.training
@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_number_of_thousands_of_digits_is_named(tmp_path, name):
    h5py = extras.load("h5py")
    path, config = tmp_path / name, f'{{"config": {{"units": {"9" * 5000}}}}}'
    if name == "model.h5":
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = config
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", config)
    with pytest.raises(ArtifactError, match=rf"{name}: .*: \$\.config\.units: a number of more than 64 bits$"):
        load_model(path)


@pytest.mark.training
@pytest.mark.slow
def test_a_configuration_in_bytes_is_read_as_one_in_text(tmp_path):
    h5py = extras.load("h5py")
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = np.bytes_(b'{"class_name": "one that Keras does not know"}')
    with pytest.raises(ArtifactError, match="one that Keras does not know"):
        load_model(tmp_path / "model.h5")
