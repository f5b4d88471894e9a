"""Folders of images: sizes, kinds of pixels, files that are no images."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.data.pets import load, mixed, save_classes
from toolkit import data
from toolkit.cli import call
from toolkit.errors import DataError, RunError, UsageError
from toolkit.reading import Reading, from_json


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
