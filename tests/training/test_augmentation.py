"""Augmentation: what each kind does to images, that chance is by (seed, epoch), and that a model learns from it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import RECIPE, UNEVEN, assert_same, state
from toolkit import extras
from toolkit.data.base import make_dataset
from toolkit.errors import UsageError
from toolkit.training import epochs
from toolkit.training.augmentation import KINDS, Augmentation, canonical
from toolkit.training.fit import train

SIDE = 12


def changed(text, images, *, seed=0, epoch=1):
    augmentation = Augmentation(extras.load("tensorflow"), canonical(text))
    augmentation.begin(seed=seed, epoch=epoch)
    return np.asarray(augmentation(np.asarray(images, np.float32)))


@pytest.fixture
def dots():
    """32 images with one white dot in the middle."""
    images = np.zeros((32, SIDE, SIDE, 1), np.uint8)
    images[:, 5:7, 5:7] = 255
    return images


@pytest.fixture
def left():
    """32 images whose left half is brighter."""
    images = np.full((32, SIDE, SIDE, 1), 100, np.uint8)
    images[:, :, : SIDE // 2] = 180
    return images


def centres(images):
    """Return the centre of brightness of each image, (N, 2), in pixels from the middle."""
    weights = images[..., 0] / images.sum(axis=(1, 2, 3), keepdims=True)[..., 0]
    middle = (SIDE - 1) / 2
    places = np.arange(SIDE) - middle
    return np.stack([weights.sum(axis=2) @ places, weights.sum(axis=1) @ places], axis=1)


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ("shift", "shift=0.1"),
        ("flip,rotate=15", "rotate=15,flip"),
        ("zoom=0.20, shift", "shift=0.1,zoom=0.2"),
        (",".join(KINDS), "shift=0.1,rotate=10,zoom=0.1,flip,contrast=0.2"),
    ],
)
def test_a_list_is_written_whole_and_in_one_order(given, whole):
    assert canonical(given) == whole
    assert canonical(whole) == whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "unknown augmentation ''; allowed, with these strengths unless others are given: shift=0.1, rotate=10, "),
        ("spin", "unknown augmentation 'spin'"),
        ("shift,shift=0.2", "names an augmentation twice"),
        ("flip=1", "'flip=1': flip takes no strength"),
        ("shift=much", "'shift=much': the strength of shift must be a number above 0, and at most 0.5"),
        ("shift=", "the strength of shift must be a number"),
        ("rotate=200", "at most 180"),
        ("zoom=0", "above 0"),
        ("contrast=nan", "above 0"),
    ],
)
def test_what_is_no_list_of_augmentations_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        canonical(given)


@pytest.mark.slow
def test_shifting_moves_by_at_most_the_share_of_a_side(dots):
    moved = centres(changed("shift=0.25", dots))
    assert np.abs(moved).max() <= 0.25 * SIDE + 0.01
    assert (moved.std(axis=0) > 0.5).all()  # in both directions, each image otherwise


@pytest.mark.slow
def test_rotating_turns_around_the_middle(left):
    far = centres(changed("rotate=180", left))
    np.testing.assert_allclose(centres(left)[:, 0], 0, atol=1e-6)
    assert far[:, 1].min() < -0.3  # some are nearly as they were, some have turned round
    assert far[:, 1].max() > 0.3
    near = centres(changed("rotate=5", left))
    assert near[:, 1].max() < -0.3


@pytest.mark.slow
def test_zooming_changes_the_size(dots):
    bright = changed("zoom=0.5", dots).sum(axis=(1, 2, 3)) / dots.sum(axis=(1, 2, 3))
    assert bright.min() < 0.7
    assert bright.max() > 1.4
    assert np.abs(centres(changed("zoom=0.5", dots))).max() < 0.2


@pytest.mark.slow
def test_flipping_mirrors_about_half_of_the_images(left):
    after = changed("flip", left)
    mirrored = [bool((one == before[:, ::-1]).all()) for one, before in zip(after, left, strict=True)]
    same = [bool((one == before).all()) for one, before in zip(after, left, strict=True)]
    assert [a or b for a, b in zip(mirrored, same, strict=True)] == [True] * 32
    assert 6 < sum(mirrored) < 26


@pytest.mark.slow
def test_contrast_keeps_the_mean_and_the_range_of_pixels(left):
    after = changed("contrast=0.5", left)
    np.testing.assert_allclose(after.mean(axis=(1, 2, 3)), left.mean(axis=(1, 2, 3)), rtol=1e-4)
    spread = after.std(axis=(1, 2, 3)) / left.std(axis=(1, 2, 3))
    assert 0.5 <= spread.min() < 0.75
    assert 1.25 < spread.max() <= 1.5
    assert changed("contrast=0.9", 255 - 255 * (left == 180)).max() <= 255


@pytest.mark.slow
def test_seed_and_epoch_alone_decide_about_chance(dots):
    whole = ",".join(KINDS)
    first = changed(whole, dots, seed=1, epoch=2)
    np.testing.assert_array_equal(first, changed(whole, dots, seed=1, epoch=2))
    assert (first != changed(whole, dots, seed=1, epoch=3)).any()
    assert (first != changed(whole, dots, seed=2, epoch=2)).any()


def shapes(rng, count, *, shift):
    """Return images of three kinds of strokes in the middle, moved by up to ``shift`` pixels, and their classes."""
    strokes = np.zeros((3, 4, 4), np.uint8)
    strokes[0, 1:3] = strokes[1, :, 1:3] = 255
    strokes[2] = np.eye(4) * 255
    labels = np.arange(count) % 3
    images = rng.integers(0, 40, (count, SIDE, SIDE)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = 4 + rng.integers(-shift, shift + 1, 2)
        image[top : top + 4, left : left + 4] |= strokes[label]
    return images, labels


@pytest.mark.slow
def test_shifted_strokes_are_read_by_a_run_that_was_augmented(tmp_path):
    rng = np.random.default_rng(0)
    moved = make_dataset((*shapes(rng, 240, shift=0), *shapes(rng, 150, shift=3)), name="moved", origin="tests")
    recipe = replace(RECIPE, epochs=60)
    plain = train(recipe, moved, tmp_path / "plain").test.accuracy
    augmented = train(replace(recipe, augment="shift=0.3"), moved, tmp_path / "augmented").test.accuracy
    assert plain < 0.75
    assert augmented > plain + 0.1


@pytest.mark.slow
def test_a_run_that_goes_on_and_is_cut_into_short_calls_has_the_same_weights(tmp_path, tiny, monkeypatch):
    recipe = replace(UNEVEN, augment="shift,rotate,zoom,flip,contrast", epochs=2)
    train(recipe, tiny, tmp_path / "whole")
    train(replace(recipe, epochs=1), tiny, tmp_path / "parts")
    monkeypatch.setattr(epochs, "FIRST_BLOCK_BATCHES", 2)
    monkeypatch.setattr(epochs, "RESPONSIVE_S", 0.0)
    train(recipe, tiny, tmp_path / "parts", resume=True)
    assert_same(state(tmp_path / "whole"), state(tmp_path / "parts"))
    summary = (tmp_path / "whole" / "summary.txt").read_text()
    assert "augmented by shift=0.1, rotate=10, zoom=0.1, flip, contrast=0.2\n" in summary


@pytest.mark.slow
def test_a_single_pixel_cannot_be_augmented(tmp_path):
    images, labels = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1), np.arange(60) % 3
    dataset = make_dataset((images[:45], labels[:45], images[45:], labels[45:]), name="one", origin="one.npz")
    with pytest.raises(UsageError, match=r"one\.npz: images of 1×1 pixels cannot be augmented by flip"):
        train(replace(RECIPE, augment="flip"), dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()
