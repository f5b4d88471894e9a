"""The score for none of the classes: what it is, what its file holds, and what is made of it."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.conftest import CLASSES, tiny_arrays
from tests.serve.conftest import engines
from toolkit import archive, manifest, novelty
from toolkit.bundle.make import make
from toolkit.cli import call
from toolkit.entries import NoveltyFile
from toolkit.errors import ArtifactError
from toolkit.files import FileName, sha256
from toolkit.images import Received
from toolkit.novelty import NOVELTY, Novelty, fit
from toolkit.parity import card
from toolkit.prediction import predict
from toolkit.prediction.answers import combine_looks
from toolkit.prediction.views import View
from toolkit.serve import predictor

SURE = 0.99


def images_of(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of the tiny data, (N, 8, 8, 1), and what a perfect model answers for them."""
    images, labels, *_ = tiny_arrays(seed, train=count, test=3)
    return images[..., np.newaxis], sure_of(labels)


def sure_of(labels: np.ndarray) -> np.ndarray:
    answers = np.full((len(labels), CLASSES), (1 - SURE) / (CLASSES - 1), np.float32)
    answers[np.arange(len(labels)), labels] = SURE
    return answers


@pytest.fixture(scope="module")
def learned() -> Novelty:
    images, answers = images_of(0, 600)
    return fit(images, answers.argmax(axis=1), classes=CLASSES)


@pytest.fixture(scope="module")
def threshold(learned) -> float:
    return novelty.threshold(learned.scores(*images_of(1, 1000)))


def test_one_image_of_the_classes_in_a_hundred_is_above_the_threshold(learned, threshold):
    above = (learned.scores(*images_of(2, 5000)) > threshold).mean()
    assert 0.004 < above < 0.02


def test_what_is_none_of_the_classes_is_above_the_threshold(learned, threshold):
    rng = np.random.default_rng(0)
    bright = rng.integers(0, 256, (50, 8, 8, 1)).astype(np.uint8)
    blank = np.zeros((1, 8, 8, 1), np.uint8)
    images, answers = images_of(3, 30)
    turned = images[:, ::-1, ::-1]
    for others in (bright, blank, turned):
        assert (learned.scores(others, answers[np.arange(len(others)) % 30]) > threshold).all()


def test_an_image_that_is_like_another_class_than_the_answer_is_none_of_them(learned, threshold):
    images, answers = images_of(3, 30)
    assert (learned.scores(images, np.roll(answers, 1, axis=1)) > threshold).all()


@pytest.mark.parametrize(("n", "place"), [(99, 99), (199, 198), (1000, 991)])
def test_the_threshold_is_the_score_that_a_hundredth_of_new_images_is_above(n, place):
    scores = np.random.default_rng(0).permutation(n) + 1.0
    assert novelty.threshold(scores) == place


def test_a_file_gives_the_scores_that_were_learned(learned, tmp_path):
    learned.write(tmp_path / "a.npz")
    learned.write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    images, answers = images_of(3, 30)
    again = novelty.read(tmp_path / "a.npz").scores(images, answers)
    np.testing.assert_array_equal(again, learned.scores(images, answers))


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), 120), ((33, 50, 3), 2), ((2, 5, 1), 2), ((2, 5, 1), 120)])
def test_what_is_kept_is_small_whatever_the_images_are(tmp_path, shape, classes):
    rng = np.random.default_rng(0)
    labels = np.arange(2 * classes) % classes
    images = rng.integers(0, 256, (len(labels), *shape)).astype(np.uint8)
    found = fit(images, labels, classes=classes)
    found.write(tmp_path / NOVELTY)
    assert (tmp_path / NOVELTY).stat().st_size <= 250_000
    assert np.isfinite(found.scores(images, np.eye(classes, dtype=np.float32)[labels])).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"means": np.zeros((3, 9), np.float32)}, "'means' is float32"),
        ({"components": np.zeros((2, 200, 1), np.float16)}, "'components' is float16"),
        ({"rows": np.array([0, 4, 4])}, "its blocks"),
        ({"columns": np.array([0, -4])}, "its blocks"),
        ({"means": np.full((3, 200), np.nan, np.float16)}, "no number"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(learned, tmp_path, change, said):
    replace(learned, **change).write(tmp_path / NOVELTY)
    with pytest.raises(ArtifactError) as refused:
        novelty.read(tmp_path / NOVELTY)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture
def judging(exported, learned, threshold):
    """An export whose manifest has a score."""
    learned.write(exported / NOVELTY)
    entry = NoveltyFile(FileName(NOVELTY), sha256(exported / NOVELTY), threshold, 0.01, 1000, "validation")
    replace(manifest.read(exported), novelty=entry).write()
    return exported


@pytest.fixture
def two(tmp_path, tiny):
    """An image of a class, and one of none."""
    Image.fromarray(tiny.test.images[1, ..., 0]).save(tmp_path / "class.png")
    Image.fromarray(255 - tiny.test.images[1, ..., 0]).save(tmp_path / "none.png")
    return [tmp_path / "class.png", tmp_path / "none.png"]


def test_a_manifest_keeps_what_was_measured(judging, threshold):
    found = manifest.read(judging)
    assert (found.novelty.threshold, found.novelty.n, found.novelty.part) == (threshold, 1000, "validation")
    assert NOVELTY in found.names


@pytest.mark.parametrize("shape", [(1, 8), (8, 1), (1, 1)])
def test_an_image_one_pixel_high_or_wide_is_none_that_was_learned_from(judging, shape):
    one = np.zeros(1, np.int64)
    size = novelty.DIRECTIONS
    Novelty(one, one, np.zeros((CLASSES, size), np.float16), np.zeros((CLASSES, size, 1), np.float16)).write(
        judging / NOVELTY
    )
    found = manifest.read(judging)
    judge = novelty.Judge(replace(found, novelty=replace(found.novelty, sha256=sha256(judging / NOVELTY))))
    answers = sure_of(np.zeros(1, np.int64))
    assert judge.judge(np.zeros((1, 2, 2, 1), np.uint8), answers)[0] is not None
    with pytest.raises(ArtifactError, match=r"novelty\.npz: is of other images than"):
        judge.judge(np.zeros((1, *shape, 1), np.uint8), answers)


def test_a_look_counts_the_more_the_more_like_its_class_it_is(judging, threshold):
    images, answers = images_of(3, 30)
    judge = novelty.Judge(manifest.read(judging))
    scores = np.array([one.score for one in judge.judge(images[:2], answers[:2])])
    expected = np.exp(-novelty.SHARPNESS * (scores - scores.min()) / threshold)
    np.testing.assert_allclose(judge.weights(images[:2], answers[:2]), expected)
    turned = np.stack([images[0], images[0, ::-1, ::-1]])
    like, unlike = judge.weights(turned, answers[[0, 0]])
    assert like == 1.0
    assert unlike < 0.5
    assert novelty.Judge(None).weights(turned, answers[[0, 0]]).tolist() == [1.0, 1.0]


def test_the_answer_for_a_view_is_that_of_the_look_that_is_like_a_class(judging):
    images, answers = images_of(3, 30)
    view = View(np.stack([images[0, ::-1, ::-1], images[0]]))
    other, own = np.roll(answers[0], 1), answers[0]
    judge, rows = novelty.Judge(manifest.read(judging)), np.stack([other, own])
    (row,), (judgement,) = combine_looks([view], rows, judge)
    weights = judge.weights(view.looks, rows)
    assert row == pytest.approx(weights @ rows / weights.sum())
    assert row.argmax() == own.argmax()
    assert judgement == judge.judge(view.looks[:1], row[np.newaxis])[0]


def test_predict_says_which_image_is_none_of_the_classes(judging, two, capsys):
    assert call(["predict", *map(str, two), "--model", str(judging / "cnn-int8.tflite"), "--json"]) == 0
    known, other = json.loads(capsys.readouterr().out)["results"]
    assert (known["none_of_these"], other["none_of_these"]) == (False, True)
    assert known["novelty"]["score"] <= known["novelty"]["threshold"] < other["novelty"]["score"]
    assert call(["predict", *map(str, two), "--model", str(judging / "cnn-int8.tflite")]) == 0
    out = capsys.readouterr().out
    assert out.count("none of these") == 1


def test_a_manifest_of_before_has_no_score_and_predict_says_so(exported_once, two, capsys):
    assert call(["predict", str(two[0]), "--model", str(exported_once / "cnn-int8.tflite"), "--json"]) == 0
    said = capsys.readouterr()
    (result,) = json.loads(said.out)["results"]
    assert result["none_of_these"] is result["novelty"] is None
    assert "has no score for what is none of its classes (why: docs/predict.md#none-of-these)" in said.err


def test_a_score_that_was_changed_is_refused(judging, two):
    (judging / NOVELTY).write_bytes(b"other")
    with pytest.raises(ArtifactError, match=r"novelty\.npz: changed since it was exported"):
        predict(two, judging / "cnn-int8.tflite", warn=pytest.fail)


def test_serve_says_it_of_each_image_of_a_batch_as_predict_does(judging, two):
    files = [*two, two[0]]
    (engine,), _ = engines(judging / "cnn-int8.tflite")

    async def ask():
        with ThreadPoolExecutor() as threads:
            asked = [predictor.predict(Received(path.read_bytes()), [engine], threads) for path in files]
            waiting = asyncio.gather(*asked)
            while engine._queue.qsize() < len(files) and not waiting.done():
                await asyncio.sleep(0.01)
            running = asyncio.create_task(engine.run())
            found = await waiting
            running.cancel()
        return [one["results"][0] for one in found]

    try:
        results = asyncio.run(ask())
    finally:
        engine.close()
    assert [result["batch"] for result in results] == [len(files)] * len(files)
    for result, said in zip(results, predict(files, judging / "cnn-int8.tflite", warn=pytest.fail), strict=True):
        (reading,) = result["readings"]
        expected = said.to_json()
        assert {name: reading[name] for name in ("class", "none_of_these", "novelty")} == {
            name: expected[name] for name in ("class", "none_of_these", "novelty")
        }


def test_serve_does_not_start_with_a_score_that_was_changed(judging):
    (judging / NOVELTY).write_bytes(b"other")
    with pytest.raises(ArtifactError, match=r"novelty\.npz: changed since it was exported"):
        engines(judging / "cnn-int8.tflite")


def test_the_model_card_tells_of_the_score(judging, exported_once):
    assert "1,000 validation images" in card.render(manifest.read(judging))
    assert "none of these" not in card.render(manifest.read(exported_once))


def test_a_bundle_says_it_as_predict_does(judging, two, tmp_path):
    found = manifest.read(judging)
    chosen = next(one for one in found.artifacts if one.path == "cnn-int8.tflite")
    bundle = make(found, chosen, tmp_path / "b.zip")
    assert archive.unpack(bundle.path, tmp_path) == []
    np.save(tmp_path / "images.npy", np.stack([np.asarray(Image.open(path))[..., np.newaxis] for path in two]))
    run = (sys.executable, "-I", tmp_path / bundle.name / "classify.py", tmp_path / "images.npy")
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert ["none of these" in line for line in done.stdout.splitlines()] == [False, True]
