"""Files in folders as people have them: classes, parts, and what lies beside them."""

import shutil

import numpy as np
import pytest

from tests.data.pets import load, save, save_classes
from toolkit.errors import DataError


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "TEST"), ("TRAIN", "testing")])
def test_train_and_test_folders_are_parts_in_any_case(tmp_path, names):
    save_classes(tmp_path / "pets" / names[0])
    save_classes(tmp_path / "pets" / names[1], per_class=3)
    assert load(tmp_path / "pets").counts == "20 + 6"


@pytest.mark.parametrize("name", ["val", "Valid", "validation"])
def test_a_validation_folder_is_the_validation_part(tmp_path, name):
    for part, count in (("train", 10), (name, 4), ("test", 3)):
        save_classes(tmp_path / "pets" / part, per_class=count)
    loaded = load(tmp_path / "pets")
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == (20, 8, 6)


def test_validation_images_are_the_test_images_where_there_is_no_test_folder(tmp_path):
    said = []
    save_classes(tmp_path / "pets" / "train")
    save_classes(tmp_path / "pets" / "val", per_class=3)
    loaded = load(tmp_path / "pets", said=said)
    assert (loaded.counts, loaded.class_names, loaded.validation) == ("20 + 6", ("cat", "dog"), None)
    assert said == [f"{tmp_path / 'pets'}: there is no test/; the images of val/ are the test images"]


def test_parts_without_training_are_refused(tmp_path):
    save_classes(tmp_path / "pets" / "val")
    save_classes(tmp_path / "pets" / "test")
    with pytest.raises(DataError, match="there is test, val, but no train folder beside it"):
        load(tmp_path / "pets")


def test_two_folders_of_one_part_are_refused(tmp_path):
    for part in ("train", "val", "validation"):
        save_classes(tmp_path / "pets" / part)
    with pytest.raises(DataError, match="val and validation both hold validation images; keep one"):
        load(tmp_path / "pets")


@pytest.mark.parametrize("inner", ["", "again"])
def test_classes_that_hold_the_same_folders_are_said_to_look_like_parts(tmp_path, inner):
    said = []
    for part in ("training_set", "test_set"):
        save_classes(tmp_path / "pets" / part / inner)
    assert load(tmp_path / "pets", said=said).class_names == ("test_set", "training_set")
    assert said == [
        f"{tmp_path / 'pets'}: the classes test_set, training_set hold folders of the same names (cat, dog); if those "
        "are the classes, call the folders around them train and test"
    ]


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_part_that_is_not_sorted_into_classes_is_named(tmp_path, part):
    for name in ("train", "test"):
        save_classes(tmp_path / "pets" / name)
    save(tmp_path / "pets" / "val" / "cat" / "1.png")
    shutil.rmtree(tmp_path / "pets" / part)
    save(tmp_path / "pets" / part / "1.png")
    with pytest.raises(DataError, match=rf"pets: {part}/ has no images in folders of classes; sort them .* out of the"):
        load(tmp_path / "pets")


def test_folders_of_no_kind_of_file_that_is_read_say_what_they_hold(tmp_path):
    for name in ("yes", "no"):
        save_classes(tmp_path / "words", names=(name,), per_class=1)
        (tmp_path / "words" / name / "0.png").rename(tmp_path / "words" / name / "0.flac")
    with pytest.raises(
        DataError,
        match=r"words: holds no file of a kind that is read \(\.png, .*\.wav\); it holds no/0\.flac, yes/0\.flac",
    ):
        load(tmp_path / "words")


def test_a_class_may_be_called_train(tmp_path):
    assert load(save_classes(tmp_path / "vehicles", names=("bus", "car", "train"))).classes == 3


def test_folders_beside_the_parts_are_counted(tmp_path):
    said = []
    for part in ("train", "test", "unlabelled"):
        save_classes(tmp_path / "pets" / part)
    load(tmp_path / "pets", said=said)
    assert said == [f"{tmp_path / 'pets'}: folders beside the parts were left out (1): unlabelled"]


def test_a_test_class_that_training_lacks_is_refused(tmp_path):
    save_classes(tmp_path / "pets" / "train")
    save_classes(tmp_path / "pets" / "test", names=("cat", "dog", "eel"))
    with pytest.raises(DataError, match="test/ holds classes that train/ lacks: eel; allowed: cat, dog"):
        load(tmp_path / "pets")


def test_a_class_without_test_images_is_warned_of(tmp_path):
    said = []
    save_classes(tmp_path / "pets" / "train")
    save_classes(tmp_path / "pets" / "test", names=("cat",))
    load(tmp_path / "pets", said=said)
    assert said == [f"{tmp_path / 'pets'}: 1 of 2 classes have no test image (dog); no figure is about them"]


def test_a_rare_class_has_a_test_image_if_it_has_two(tmp_path):
    save_classes(tmp_path / "pets", per_class=100, names=("cat",))
    save_classes(tmp_path / "pets", per_class=2, names=("dog",))
    assert np.bincount(load(tmp_path / "pets").test.labels).tolist() == [20, 1]


def test_folders_around_the_data_and_those_of_macos_are_looked_through(tmp_path):
    save_classes(tmp_path / "download" / "pets-v2" / "pets")
    (tmp_path / "download" / "__MACOSX" / "pets").mkdir(parents=True)
    loaded = load(tmp_path / "download")
    assert (loaded.counts, loaded.name, loaded.class_names) == ("16 + 4", "download", ("cat", "dog"))


def test_folders_within_a_class_belong_to_it_and_other_files_are_counted(tmp_path):
    said = []
    folder = save_classes(tmp_path / "pets")
    for number in range(5):
        save(folder / "cat" / "session2" / f"again{number}.png")
    (folder / "cat" / "session2" / "notes.txt").write_text("x")
    (folder / "dog" / ".DS_Store").write_text("x")
    (folder / "labels.csv").write_text("x")
    assert load(folder, said=said).counts == "20 + 5"
    assert said == [f"{folder}: left out, since they are no images (2): cat/session2/notes.txt, labels.csv"]


def test_a_link_to_a_folder_is_not_followed_and_counted(tmp_path):
    said = []
    folder, others = save_classes(tmp_path / "pets"), save_classes(tmp_path / "others")
    (folder / "cat" / "more").symlink_to(others / "cat", target_is_directory=True)
    assert load(folder, said=said).counts == "16 + 4"
    assert said == [f"{folder}: left out, since they are no images (1): cat/more (a link to a folder)"]


@pytest.mark.parametrize("name", ["pets/cat/0.png", "pets/cat", "pets"])
def test_a_link_in_the_place_of_data_is_refused(tmp_path, name):
    """It may lead anywhere, and what it leads to would be read and shown."""
    folder = save_classes(tmp_path / "pets")
    wrapper = tmp_path / "download"
    wrapper.mkdir()
    folder.rename(wrapper / "pets")
    link = wrapper / name
    link.rename(tmp_path / "elsewhere")
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError) as refused:
        load(wrapper)
    assert str(refused.value) == f"{link}: a symbolic link; put there what it leads to"


def test_an_empty_class_folder_is_named(tmp_path):
    folder = save_classes(tmp_path / "pets")
    (folder / "fish").mkdir()
    with pytest.raises(DataError, match=r"no image in the class folder fish \(\.png"):
        load(folder)


def test_one_class_alone_is_refused(tmp_path):
    with pytest.raises(DataError, match="one class alone, cat"):
        load(save_classes(tmp_path / "pets", names=("cat",)))
