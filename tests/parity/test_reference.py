"""The reference is computed once for one model and one set of images, and never served for another."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from toolkit import manifest
from toolkit.cache import cache_folder
from toolkit.errors import ArtifactError
from toolkit.parity import reference
from toolkit.runtimes import open_session


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder() / reference.FOLDER


class Opener:
    """Opens the reference in this process and counts how often."""

    def __init__(self):
        self.count = 0

    def __call__(self, path, **options):
        self.count += 1
        return open_session(path, **options)


@pytest.fixture
def opener():
    return Opener()


def outputs_of(found, split, opener=open_session):
    with reference.outputs(found, split, opener) as outputs:
        return np.array(outputs)


@pytest.mark.slow
def test_the_second_time_the_reference_does_not_run(exported_once, tiny, cache, opener):
    found = manifest.read(exported_once)
    first, second = outputs_of(found, tiny.test, opener), outputs_of(found, tiny.test, opener)
    assert np.array_equal(first, second)
    assert np.array_equal(first, open_session(found.reference_path, threads=0).predict(tiny.test.images))
    assert opener.count == 1
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((3,), r"cnn\.keras: NaN or infinite outputs in 90 of 90 answers"),
        ((), r"cnn\.keras: answers 90 images with numbers \(90,\); a classifier gives one for each class"),
        ((2, 3), r"cnn\.keras: answers 90 images with numbers \(90, 2, 3\)"),
    ],
    ids=str,
)
def test_a_reference_that_answers_with_no_numbers_is_none(exported_once, tiny, cache, shape, said):
    class Broken:
        def predict(self, images):
            return np.full((len(images), *shape), np.nan, np.float32)

    for _ in ("computed", "cached"):
        with pytest.raises(ArtifactError, match=said):
            outputs_of(manifest.read(exported_once), tiny.test, lambda path, **_: Broken())


@pytest.mark.slow
def test_other_images_and_other_models_are_computed_anew(exported, tiny, cache, opener):
    found = manifest.read(exported)
    outputs_of(found, tiny.test, opener)
    outputs_of(found, tiny.test.rows(slice(0, 89)), opener)
    other = replace(found, reference=replace(found.reference, sha256="1" * 64))
    outputs_of(other, tiny.test, opener)
    assert opener.count == 3


@pytest.mark.slow
@pytest.mark.parametrize("damage", [lambda content: content[:-5], lambda content: content[:-1] + b"\1"])
def test_a_damaged_file_of_the_reference_s_outputs_is_computed_anew(exported_once, tiny, cache, opener, damage):
    found = manifest.read(exported_once)
    whole = outputs_of(found, tiny.test, opener)
    (file,) = cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert np.array_equal(outputs_of(found, tiny.test, opener), whole)
    assert opener.count == 2
    assert len(list(cache.iterdir())) == 1


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_done_without(exported_once, tiny, cache, monkeypatch):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    assert outputs_of(manifest.read(exported_once), tiny.test).shape == (90, 3)


@pytest.mark.slow
def test_the_cache_keeps_the_newest(exported_once, tiny, cache, monkeypatch):
    monkeypatch.setattr(reference, "KEPT", 3)
    found = manifest.read(exported_once)
    for rows in range(80, 86):
        outputs_of(found, tiny.test.rows(slice(0, rows)))
    assert len(list(cache.iterdir())) == 3
    shutil.rmtree(cache)
