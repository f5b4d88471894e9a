"""The trial of how a machine computes a training fastest: when it is made, what is kept, and what a run keeps of it."""

import json
import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import RECIPE, assert_same, state
from toolkit import extras, host
from toolkit.cache import cache_folder
from toolkit.files import documents
from toolkit.training import arithmetic, trial
from toolkit.training.arithmetic import UNTRIED, Arithmetic, Tried
from toolkit.training.device import CPU
from toolkit.training.fit import train
from toolkit.worker import process

# Seconds of a batch, by (oneDNN, XLA), and True for bfloat16.
SECONDS = {(False, 0): 4.0, (False, 1): 3.0, (True, 0): 2.0, (True, 1): 5.0}


@pytest.fixture
def trials(monkeypatch, tmp_path):
    """Trials that are made up, and never too long: the settings of oneDNN that were tried, in a cache of their own."""
    made = []

    def attempt(recipe, dataset, device, *, onednn):
        made.append(onednn)
        return [Tried(*form[:2], s, *form[2:]) for form, s in SECONDS.items() if form[0] == bool(onednn)]

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(arithmetic, "LEAST_VALUES", 1)
    monkeypatch.setattr(arithmetic, "_imported", lambda: None)
    monkeypatch.setattr(arithmetic, "_try", attempt)
    monkeypatch.delenv(arithmetic.VARIABLE, raising=False)
    return made


def choose(dataset, recipe=RECIPE, device="auto"):
    return arithmetic.choose(recipe, dataset, device=device, on_trial=lambda: None)


def test_the_fastest_setting_is_taken_and_kept(tiny, trials):
    expected = Arithmetic(True, 0, tuple(Tried(*setting, seconds) for setting, seconds in SECONDS.items()))
    assert choose(tiny) == expected
    assert expected.words == ("with oneDNN", "without XLA")
    assert choose(tiny, replace(RECIPE, seed=9, epochs=50)) == expected
    assert trials == [None, True]
    (kept,) = (cache_folder() / "training").iterdir()
    assert json.loads(kept.read_text())["asked"]["host"]["cpu"] == host.describe().cpu


def test_another_model_or_recipe_gets_a_trial_of_its_own(tiny, trials):
    choose(tiny)
    choose(tiny, replace(RECIPE, model="cnn"))
    choose(tiny, replace(RECIPE, batch_size=15))
    choose(tiny, replace(RECIPE, average=0.9))
    choose(tiny, replace(RECIPE, label_smoothing=0.1))
    assert trials == [None, True] * 5
    choose(tiny, replace(RECIPE, average=0.99))  # as many additions
    assert trials == [None, True] * 5


def test_a_gpu_that_comes_or_goes_gets_a_trial_of_its_own(tiny, trials, monkeypatch, tmp_path):
    monkeypatch.delenv(arithmetic.VISIBLE_GPUS, raising=False)
    monkeypatch.setattr(arithmetic, "GPUS", tmp_path)
    choose(tiny)
    (tmp_path / "nvidia0").touch()
    choose(tiny)
    choose(tiny, device="cpu")
    choose(tiny, device="cpu")
    monkeypatch.setenv(arithmetic.VISIBLE_GPUS, "")
    choose(tiny)
    choose(tiny, device="cpu")  # which none of them tells
    assert trials == [None, True] * 4


def test_a_damaged_cache_is_tried_anew(tiny, trials):
    first = choose(tiny)
    (kept,) = (cache_folder() / "training").iterdir()
    kept.write_text("{")
    assert choose(tiny) == first
    assert trials == [None, True] * 2


def test_nothing_is_tried_for_a_short_training(tiny, trials, monkeypatch):
    monkeypatch.setattr(arithmetic, "LEAST_VALUES", 240 * 64 * 4 + 1)
    assert choose(tiny) == UNTRIED
    assert trials == []
    assert choose(tiny, replace(RECIPE, epochs=5)) != UNTRIED


@pytest.mark.parametrize(
    ("answer", "is_kept"), [(None, False), ([], True)], ids=["a trial that failed", "no form could be computed"]
)
def test_without_a_timed_step_no_arithmetic_is_chosen(tiny, trials, monkeypatch, answer, is_kept):
    monkeypatch.setattr(arithmetic, "_try", lambda *_, **__: answer)
    assert choose(tiny) == UNTRIED
    assert (cache_folder() / "training").exists() == is_kept


def test_on_a_gpu_xla_alone_is_tried(tiny, trials, monkeypatch):
    tried = [Tried(None, 0, 3.0), Tried(None, 12, 1.0)]
    asked = []
    monkeypatch.setattr(arithmetic, "_try", lambda *_, onednn: asked.append(onednn) or tried)
    assert choose(tiny, device="gpu") == Arithmetic(None, 12, tuple(tried))
    assert choose(tiny, device="gpu").words == ("with XLA (12 batches at once)",)
    assert asked == [None]


def test_what_the_user_or_an_import_has_decided_is_not_tried_otherwise(tiny, trials, monkeypatch):
    monkeypatch.setenv(arithmetic.VARIABLE, "0")
    assert choose(tiny).words == ("without oneDNN", "with XLA")
    monkeypatch.delenv(arithmetic.VARIABLE)
    monkeypatch.setattr(arithmetic, "_imported", lambda: True)
    assert choose(tiny).words == ("with oneDNN", "without XLA")
    assert trials == [None, True]


def test_the_other_setting_is_tried_only_if_the_training_is_long(tiny, trials, monkeypatch):
    batches = 240 * 0.8 / 16 * 4
    monkeypatch.setattr(arithmetic, "LEAST_S", 3.0 * batches + 1)
    assert choose(tiny).words == ("without oneDNN", "with XLA")
    assert trials == [None]
    assert choose(tiny, replace(RECIPE, batch_size=15)).words == ("with oneDNN", "without XLA")


@pytest.mark.parametrize(
    ("most", "most_bytes", "at_once"), [(250, 10**6, 12), (5, 10**6, 4), (250, 2 * 16 * 64, 2), (250, 16 * 64 - 1, 1)]
)
def test_an_epoch_is_cut_into_equal_parts_that_are_not_too_large(tiny, monkeypatch, most, most_bytes, at_once):
    """Of the 12 batches of 16 images with 64 pixels."""
    monkeypatch.setattr(arithmetic, "MOST_AT_ONCE", most)
    monkeypatch.setattr(arithmetic, "MOST_AT_ONCE_BYTES", most_bytes)
    assert max(arithmetic._forms(RECIPE, tiny))[0] == at_once


@pytest.fixture
def bfloat16(monkeypatch):
    """A CPU that multiplies in bfloat16, as far as toolkit knows. oneDNN does what this one can."""
    monkeypatch.setattr("toolkit.host.instruction_sets", lambda: {"bf16": True})


@pytest.mark.parametrize(("seconds", "rounds"), [(1.7, False), (1.6, True)])
def test_bfloat16_is_taken_only_if_it_gains_much(tiny, trials, monkeypatch, seconds, rounds):
    """Beside 2.0 in float32."""
    monkeypatch.setitem(SECONDS, (True, 0, True), seconds)
    assert choose(tiny).bfloat16 == rounds


def test_bfloat16_is_tried_for_pixels_in_float32_alone(tiny, bfloat16, monkeypatch):
    def tried(recipe, dataset=tiny):
        return (0, True) in arithmetic._forms(recipe, dataset)

    assert tried(RECIPE)
    assert not tried(replace(RECIPE, precision="mixed"))
    assert not tried(replace(RECIPE, qat=True))
    values = replace(tiny, train=replace(tiny.train, images=tiny.train.images.astype("float32")))
    assert not tried(RECIPE, values)
    monkeypatch.setattr("toolkit.host.instruction_sets", lambda: {"bf16": False})
    assert not tried(RECIPE)


# A worker that times no longer than a test needs.
QUICK = "from toolkit.training import trial; trial.ROUND_S = 0.01; from toolkit.worker import child; child.main()"


@pytest.mark.slow
def test_a_trial_times_every_form_of_a_step(tiny, bfloat16, monkeypatch):
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", QUICK))
    found = arithmetic._try(RECIPE, tiny, "cpu", onednn=False)
    assert [(one.onednn, one.xla, one.bfloat16) for one in found] == [(False, form, False) for form in (0, 1, 12)]
    assert all(one.batch_s > 0 for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("device", [CPU, "GPU (one)"])
def test_a_trial_leaves_out_what_is_no_other_form_and_on_a_gpu_what_onednn_does(tiny, monkeypatch, device):
    """XLA computes no augmented batches at once, and oneDNN alone computes in bfloat16."""
    monkeypatch.setattr(trial, "choose", lambda tf, asked: device)
    monkeypatch.setattr(trial, "ROUND_S", 0.01)
    recipe = replace(RECIPE, augment="shift")
    answer, _ = trial._try(
        {},
        b"",
        recipe={**recipe.to_json(), "model": recipe.model},
        input_shape=tiny.input_shape,
        classes=tiny.classes,
        dtype="uint8",
        device="auto",
        forms=[(0, False), (1, False), (12, False), (0, True)],
    )
    onednn = arithmetic.onednn() if device == CPU else None
    expected = [(onednn, 0, False), (onednn, 1, False), *([(True, 0, True)] if onednn else [])]
    assert [(one["onednn"], one["xla"], one.get("bfloat16", False)) for one in answer["tried"]] == expected


def test_a_trial_that_dies_or_answers_nonsense_is_none(tiny, monkeypatch):
    for command in ("raise SystemExit(3)", "print('no JSON')"):
        monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", command))
        assert arithmetic._try(RECIPE, tiny, "cpu", onednn=True) is None
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(arithmetic, "DEADLINE_S", 0.2)
    assert arithmetic._try(RECIPE, tiny, "cpu", onednn=True) is None
    for answer in ({}, {"tried": [{}]}):
        monkeypatch.setattr(process.Process, "ask", lambda *_, answer=answer: (answer, b""))
        assert arithmetic._try(RECIPE, tiny, "cpu", onednn=True) is None


@pytest.mark.parametrize(("setting", "told"), [(True, "1"), (False, "0"), (None, None)])
def test_a_trial_begins_with_its_setting_and_leaves_the_others_theirs(tiny, monkeypatch, setting, told):
    says = f"import os, sys; sys.stdin.readline(); assert os.environ.get('{arithmetic.VARIABLE}') == {told!r}"
    answer = json.dumps({"tried": [], "bytes": 0})
    monkeypatch.delenv(arithmetic.VARIABLE, raising=False)
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", f"{says}; print({answer!r})"))
    assert arithmetic._try(RECIPE, tiny, "cpu", onednn=setting) == []
    assert arithmetic.VARIABLE not in os.environ


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "said_so"),
    [((4,), "with XLA (4 batches at once)"), ((0, True), "(in bfloat16), without XLA")],
    ids=["batches at once", "bfloat16"],
)
def test_a_run_records_its_arithmetic_and_keeps_it_when_it_goes_on(tmp_path, tiny, trials, monkeypatch, form, said_so):
    monkeypatch.setattr(arithmetic, "_imported", arithmetic.onednn)
    monkeypatch.setitem(SECONDS, (arithmetic.onednn(), *form), 1.0)
    recipe = replace(RECIPE, model="mlp")
    told = []
    train(recipe, tiny, tmp_path / "whole", on_trial=lambda: told.append("trying"))
    started = []
    train(replace(recipe, epochs=2), tiny, tmp_path / "parts", on_trial=lambda: None, on_start=started.append)
    assert told == ["trying"]
    assert ", ".join(started[0].additions).endswith(said_so)
    config = json.loads((tmp_path / "parts" / "config.json").read_text())
    kept = documents.convert(config["arithmetic"], Arithmetic, "config.json", what="how a run computes")
    assert (kept.onednn, kept.xla, kept.bfloat16) == (arithmetic.onednn(), form[0], form[1:] == (True,))
    assert len(kept.tried) >= 2
    monkeypatch.setitem(SECONDS, (arithmetic.onednn(), *form), 9.0)
    said = []
    train(recipe, tiny, tmp_path / "parts", resume=True, on_trial=lambda: pytest.fail("tried"), warn=said.append)
    assert said == []
    assert_same(state(tmp_path / "whole"), state(tmp_path / "parts"))


@pytest.mark.slow
def test_a_function_is_computed_in_bfloat16_within_the_block_alone():
    tf = extras.load("tensorflow")
    product = tf.function(tf.matmul)
    left, right = np.random.default_rng(0).random((2, 64, 64), np.float32)
    exact = product(left, right).numpy()
    with arithmetic.in_bfloat16(tf):
        rounded = product(left, right).numpy()
    np.testing.assert_array_equal(product(left, right), exact)
    np.testing.assert_allclose(rounded, exact, rtol=2**-7)
    if arithmetic.onednn() and host.instruction_sets().get("bf16", False):
        assert not np.array_equal(rounded, exact)


@pytest.mark.slow
def test_a_process_that_computes_otherwise_is_warned_of(tmp_path):
    said = []
    other = not arithmetic.onednn()
    arithmetic.load_tensorflow(Arithmetic(onednn=other, xla=0), warn=said.append)
    assert said == [
        f"the run was started {'with' if other else 'without'} oneDNN, and this process computes otherwise: its "
        "weights will not be those of an uninterrupted run to the last bit"
    ]
