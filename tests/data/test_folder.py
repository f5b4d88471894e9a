"""Folders of images as people have them: layouts, sizes, files that are no images."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from toolkit import data
from toolkit.cli import call
from toolkit.errors import DataError, RunError, UsageError
from toolkit.reading import Reading, from_json


def save(path, *, seed=0, size=(8, 8), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([seed, *path.name.encode()]).integers(0, 256, (*size[::-1], 3)).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def save_classes(folder, *, per_class=10, names=("cat", "dog"), **options):
    for seed, name in enumerate(names):
        for number in range(per_class):
            save(folder / name / f"{number}.png", seed=seed + len(str(folder)), **options)
    return folder


def load(folder, *, said=None, **reading):
    return data.load(str(folder), warn=pytest.fail if said is None else said.append, reading=Reading(**reading))


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("LA", 1), ("P", 3)])
def test_a_folder_of_class_folders_is_split_by_a_fixed_seed(tmp_path, mode, channels):
    first = load(save_classes(tmp_path / "pets", mode=mode))
    again = load(tmp_path / "pets")
    assert first.digests == again.digests
    assert first.class_names == ("cat", "dog")
    assert first.counts == "16 + 4"
    assert first.input_shape == (8, 8, channels)
    assert np.bincount(first.test.labels).tolist() == [2, 2]


def test_a_grey_palette_is_grey(tmp_path):
    folder = save_classes(tmp_path / "pets")
    for file in folder.rglob("*.png"):
        Image.open(file).convert("P").save(file)
    assert load(folder).input_shape == (8, 8, 1)


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
    assert said == [f"{folder}: files that are no images were left out (2): cat/session2/notes.txt, labels.csv"]


def test_an_empty_class_folder_is_named(tmp_path):
    folder = save_classes(tmp_path / "pets")
    (folder / "fish").mkdir()
    with pytest.raises(DataError, match=r"no image in the class folder fish \(\.png"):
        load(folder)


def test_one_class_alone_is_refused(tmp_path):
    with pytest.raises(DataError, match="one class alone, cat"):
        load(save_classes(tmp_path / "pets", names=("cat",)))


def mixed(folder):
    save_classes(folder)
    save(folder / "cat" / "wide.png", size=(20, 10))
    save(folder / "dog" / "small.png", size=(4, 4))
    return folder


def test_images_of_several_sizes_are_brought_to_the_most_common(tmp_path):
    said = []
    loaded = load(mixed(tmp_path / "pets"), said=said)
    assert loaded.input_shape == (8, 8, 1)
    assert loaded.reading == Reading(image_size=(8, 8), resize="fit")
    assert said == [
        f"{tmp_path / 'pets'}: 2 of 22 images are not of 8×8 pixels and were brought to it (fit); "
        "--image-size and --resize say otherwise"
    ]


def test_what_was_done_is_done_again_by_what_was_recorded(tmp_path):
    first = load(mixed(tmp_path / "pets"), said=[])
    again = data.load(str(tmp_path / "pets"), warn=lambda text: None, reading=first.reading)
    assert again.digests == first.digests


@pytest.mark.parametrize("how", ["fit", "crop", "stretch"])
def test_images_are_brought_to_the_size_that_is_asked_for(tmp_path, how):
    loaded = load(mixed(tmp_path / "pets"), image_size=(6, 12), resize=how)
    assert loaded.input_shape == (6, 12, 1)
    assert loaded.reading.to_json() == {"image_size": [6, 12], "resize": how}


def test_images_are_brought_to_what_a_model_takes(tmp_path):
    loaded = load(mixed(tmp_path / "pets"), model_shape=(5, 5, 3))
    assert loaded.input_shape == (5, 5, 3)
    # The photos are grey: that the model takes colours is recorded for what comes after.
    recorded = from_json(loaded.reading.to_json(), tmp_path / "config.json", error=RunError)
    again = data.load(str(tmp_path / "pets"), warn=pytest.fail, reading=recorded)
    assert again.digests == loaded.digests


def test_a_size_that_no_photo_has_is_refused_before_memory_is_taken(tmp_path):
    for shape in ((0, 5, 3), (5, -1, 3), (10**6, 10**6, 3)):
        with pytest.raises(
            DataError, match=rf"a model takes images of {shape[0]} × {shape[1]}; a side has 1 to 10,000"
        ):
            load(mixed(tmp_path / "pets"), model_shape=shape)


def break_two(folder):
    (folder / "cat" / "3.png").write_bytes(b"no image")
    whole = (folder / "dog" / "4.png").read_bytes()
    (folder / "dog" / "4.png").write_bytes(whole[: len(whole) - 40])  # its header is whole
    return folder


def test_images_that_cannot_be_read_are_named_and_refused(tmp_path):
    folder = break_two(save_classes(tmp_path / "pets"))
    with pytest.raises(
        DataError, match=r"pets: 1 image cannot be read: .*/cat/3\.png: cannot be .*by --skip-unreadable"
    ):
        load(folder)


def test_photos_of_a_kind_that_is_not_read_are_named_and_not_passed_over(tmp_path):
    folder = save_classes(tmp_path / "phone", per_class=4)
    heic = b"\0\0\0\x18ftypheic" + bytes(40)
    (folder / "cat" / "IMG_1.HEIC").write_bytes(heic)
    with pytest.raises(DataError, match=r"1 image cannot be read: .*IMG_1\.HEIC.* a photo in HEIC, .* save it as JPEG"):
        load(folder)
    said = []
    loaded = load(folder, said=said, skip_unreadable=True)
    assert len(loaded.train) + len(loaded.test) == 8
    assert [text for text in said if "IMG_1.HEIC" in text and "left out (1)" in text]
    for path in folder.rglob("*.png"):
        path.rename(path.with_suffix(".heic")).write_bytes(heic)
    with pytest.raises(DataError, match=r"phone: 9 images cannot be read: .* a photo in HEIC"):
        load(folder)


def test_images_that_cannot_be_read_are_left_out_and_listed(tmp_path):
    said = []
    folder = break_two(save_classes(tmp_path / "pets"))
    whole = load(save_classes(tmp_path / "same"), said=[])
    loaded = load(folder, said=said, skip_unreadable=True)
    assert len(loaded.train) + len(loaded.test) == 18
    assert whole.input_shape == loaded.input_shape
    (text,) = said
    assert text.startswith(f"{folder}: images that cannot be read were left out (2): ")
    assert f"{folder}/cat/3.png" in text
    assert f"{folder}/dog/4.png" in text


def test_the_rows_that_are_left_keep_their_labels(tmp_path):
    for number in range(20):
        for label, shade in (("dark", 0), ("light", 200)):
            path = tmp_path / "pets" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = Image.new("L", (8, 8), shade)
            image.putpixel((0, 0), 50)
            image.save(path)
    for name in ("dark/3.png", "light/7.png", "dark/12.png"):
        path = tmp_path / "pets" / name
        path.write_bytes(path.read_bytes()[:-30])
    loaded = load(tmp_path / "pets", said=[], skip_unreadable=True)
    for split in loaded.splits.values():
        assert ((split.images[:, 4, 4, 0] > 100) == split.labels).all()


def test_what_has_no_meaning_for_a_source_is_refused(tmp_path, tiny_npz):
    with pytest.raises(DataError, match=r"tiny\.npz .*: --image-size has no meaning there; leave it out"):
        load(tiny_npz, image_size=(8, 8))
    with pytest.raises(DataError, match="--keys has no meaning there"):
        load(save_classes(tmp_path / "pets"), keys={"x_train": "images"})
    with pytest.raises(DataError, match="'sample': --skip-unreadable has no meaning there"):
        data.load("sample", warn=pytest.fail, reading=Reading(skip_unreadable=True))


def test_nonsense_is_refused_in_a_line():
    with pytest.raises(UsageError, match="unknown resize 'squeeze'; allowed: fit, crop, stretch"):
        Reading(resize="squeeze")
    with pytest.raises(UsageError, match="1 to 10,000 pixels a side"):
        Reading(image_size=(0, 8))


def test_data_shows_parts_and_warnings(tmp_path, capfd):
    folder = mixed(tmp_path / "pets")
    assert call(["data", str(folder), "--image-size", "16x12", "--resize", "crop", "--json"]) == 0
    printed = capfd.readouterr()
    (result,) = json.loads(printed.out)["results"]
    assert result["input_shape"] == [16, 12, 1]
    assert result["warnings"] == []
    assert call(["data", str(folder), "--json"]) == 0
    printed = capfd.readouterr()
    (result,) = json.loads(printed.out)["results"]
    assert len(result["warnings"]) == 1
    assert f"warning: {result['warnings'][0]}" in printed.err


def test_photos_that_lie_in_a_file_stay_there(tmp_path, monkeypatch):
    folder = save_classes(tmp_path / "pets")
    in_memory = load(folder)
    monkeypatch.setattr("toolkit.photos.IN_MEMORY_SHARE", 0)
    mapped = load(folder)
    assert isinstance(mapped.train.images, np.memmap)
    assert mapped.digests == in_memory.digests
