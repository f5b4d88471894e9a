"""Micro-batches, and clients that do not wait: an engine whose worker is slow."""

import asyncio
import shutil
import threading

import numpy as np
import pytest

from tests.conftest import SHIPPED
from toolkit.convention import parse
from toolkit.errors import ArtifactError
from toolkit.prediction import answers
from toolkit.prediction.views import View
from toolkit.serve.engine import Engine
from toolkit.serve.metrics import ServiceMetrics
from toolkit.worker.session import Workers


@pytest.fixture
def slow(exported_once, monkeypatch):
    """An engine whose inferences wait for a gate, and the batches that it has been asked for."""
    gate, batches, real = threading.Semaphore(0), [], answers.classify

    def classify(session, found, pixels, labels=None):
        assert gate.acquire(timeout=60)
        batches.append(len(pixels))
        return real(session, found, pixels, labels)

    monkeypatch.setattr(answers, "classify", classify)
    path = exported_once / "cnn-int8.tflite"
    made = Engine("cnn", path, metrics=ServiceMetrics(["cnn"]), warn=pytest.fail, on_failure=pytest.fail)
    yield made, gate, batches
    made.close()


def views(count, shade=0, *, looks=1):
    return [View(np.full((looks, 8, 8, 1), shade, np.uint8))] * count


def ask(made, gate, *counts, cancelled=(), looks=1):
    """Ask once, then all of ``counts`` while the first is worked on; return the answers."""

    async def run():
        made._queue = asyncio.Queue()  # which belongs to a loop, and each call has its own
        running = asyncio.create_task(made.run())
        asked = [asyncio.create_task(made.classify(views(1)))]
        await asyncio.sleep(0.05)
        asked += [asyncio.create_task(made.classify(views(count, 10 * count, looks=looks))) for count in counts]
        await asyncio.sleep(0.05)
        for place in cancelled:
            asked[place].cancel()
        gate.release(100)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        running.cancel()
        return answers

    return asyncio.run(run())


def test_what_arrives_while_it_works_is_the_next_batch(slow):
    made, gate, batches = slow
    answers = ask(made, gate, 1, 2, 3)
    assert batches == [1, 6]
    assert [(len(answer.probabilities), answer.batch) for answer in answers] == [(1, 1), (1, 6), (2, 6), (3, 6)]
    alone = ask(made, gate, 2)[1]
    assert np.allclose(alone.probabilities, answers[2].probabilities)


def test_a_batch_is_no_larger_than_is_worth_it(slow):
    made, gate, batches = slow
    ask(made, gate, *[4] * 5)
    assert batches == [1, 8, 8, 4]


@pytest.mark.parametrize(("counts", "expected"), [([1] * 7, [9, 9, 3]), ([2, 1, 4, 1], [9, 12, 3]), ([5], [15])])
def test_a_batch_counts_looks_and_what_is_larger_is_one_of_its_own(slow, counts, expected):
    made, gate, batches = slow
    answers = ask(made, gate, *counts, looks=3)
    assert batches == [1, *expected]
    assert [len(answer.probabilities) for answer in answers[1:]] == counts
    assert sorted({answer.batch for answer in answers[1:]}) == sorted(set(expected))
    assert f'toolkit_images_total{{artifact="cnn"}} {1 + sum(counts)}' in made._metrics.text()
    assert f'toolkit_looks_total{{artifact="cnn"}} {1 + 3 * sum(counts)}' in made._metrics.text()


def test_nothing_is_computed_for_who_has_gone(slow):
    made, gate, batches = slow
    answers = ask(made, gate, 1, 1, cancelled=(1, 2))
    assert batches == [1]
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [False, True, True]


def test_each_gets_the_answer_to_its_own_images_also_where_others_of_its_batch_go_away(slow, tiny):
    made, gate, batches = slow
    images = iter(tiny.test.images)
    given = [[View(next(images)[np.newaxis]) for _ in range(count)] for count in (1, 1, 2, 1, 3, 1, 1)]

    async def run():
        running = asyncio.create_task(made.run())
        asked = [asyncio.create_task(made.classify(one)) for one in given]
        await asyncio.sleep(0.05)
        asked[1].cancel()
        asked[4].cancel()
        gate.release(100)
        found = await asyncio.gather(*asked, return_exceptions=True)
        running.cancel()
        return found

    found = asyncio.run(run())
    assert batches == [10]  # who went away did so while it was worked on
    for place, one in enumerate(given):
        if place in (1, 4):
            assert isinstance(found[place], asyncio.CancelledError)
        else:
            looks = np.concatenate([view.looks for view in one])
            _, rows = answers.classify(made._open.session, made._open.manifest, looks)
            assert np.allclose(found[place].probabilities, rows)


def test_a_whole_batch_is_told_what_went_wrong_and_the_next_is_served(slow, monkeypatch):
    made, gate, _ = slow
    real, wrong = answers.classify, iter([ArtifactError("NaN"), ValueError("odd")])

    def classify(*arguments):
        for error in wrong:
            raise error
        return real(*arguments)

    monkeypatch.setattr(answers, "classify", classify)
    first, *others = ask(made, gate, 1, 1)
    assert [str(one) for one in (first, *others)] == ["NaN", "odd", "odd"]
    assert made.is_open
    assert len(ask(made, gate)[0].probabilities) == 1


def test_an_artifact_that_cannot_be_opened_leaves_no_process(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(Workers, "close", lambda self: closed.append(self._process.close()))
    with pytest.raises(ArtifactError, match="no such file"):
        Engine("a", tmp_path / "a.tflite", metrics=ServiceMetrics(["a"]), warn=pytest.fail, on_failure=pytest.fail)
    assert len(closed) == 1


def test_that_digits_are_looked_for_is_said_of_a_model_of_unknown_origin(tmp_path):
    foreign, said = tmp_path / "foreign.tflite", []
    shutil.copyfile(SHIPPED / "mlp-float32.tflite", foreign)
    metrics = ServiceMetrics(["foreign"])
    Engine("foreign", foreign, given=parse("0..1"), metrics=metrics, warn=said.append, on_failure=pytest.fail).close()
    assert said == [
        f"{foreign}: nothing says what it has learned from; its input is that of MNIST, so digits are looked for"
    ]
