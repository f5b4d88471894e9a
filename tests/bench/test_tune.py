"""Settings of the runtimes: what wins by made-up processes, and every real setting on a shipped artifact."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.bench import made_up
from tests.conftest import SHIPPED
from toolkit import host, registry, runtimes
from toolkit.bench import alternating, record, settings, tune
from toolkit.bench.alternating import Alternated
from toolkit.bench.candidates import select
from toolkit.bench.plan import Plan
from toolkit.bench.settings import onnxruntime
from toolkit.bench.tuned import TriedSetting, Tuned
from toolkit.cli.bench import tuned as report
from toolkit.console import Console
from toolkit.errors import ArtifactError, UsageError, WorkerFailedError
from toolkit.files import documents

MLP = SHIPPED / "mlp-int8.onnx"
FILES = {"litert": SHIPPED / "mlp-float16.tflite", "onnxruntime": MLP}


def tried(name, faster, *, spread=0.01):
    """Return a setting that ten processes found faster by a share, spread about it."""
    return TriedSetting(name, f"set({name!r})", tuple(np.log1p(faster) + spread * np.linspace(-1, 1, 10)))


def test_the_fastest_of_those_that_are_surely_faster_is_best():
    found = Tuned((tried("slow", -0.1), tried("good", 0.05), tried("better", 0.1), tried("unsure", 0.2, spread=0.5)))
    found = replace(found, left_out={"odd": "it answers differently"})
    assert found.best.setting == "better"
    document = found.to_json()
    assert document["best"] == "better"
    assert [one["verdict"] for one in document["tried"]] == ["slower", "faster", "faster", "indistinguishable"]
    assert documents.convert(json.loads(json.dumps(document)), Tuned, "here", what="a record") == found


def test_nothing_wins_where_nothing_is_faster():
    assert Tuned((tried("slow", -0.1), tried("same", 0.0))).best is None
    assert Tuned(()).to_json() == {"tried": [], "left_out": {}, "best": None}


def test_the_more_are_tried_the_surer_one_must_be():
    one = tried("lucky", 0.009)
    assert Tuned((one,)).best == one
    assert Tuned((one, *(tried(str(number), 0.0) for number in range(9)))).best is None


@pytest.mark.parametrize("logarithms", [[], [0.1], [0.1, float("nan")], [0.1, 1e300]])
def test_speed_ups_that_no_processes_found_are_refused(logarithms):
    with pytest.raises(ArtifactError, match="the setting 'x' has speed-ups of no processes"):
        documents.convert(
            {"tried": [{"setting": "x", "line": "x()", "logarithms": logarithms}], "left_out": {}},
            Tuned,
            "here",
            what="a record",
        )


@pytest.mark.parametrize("runtime", registry.names("toolkit.bench.settings"))
def test_every_setting_opens_an_artifact_that_answers_alike(runtime):
    path = FILES[runtime]
    row = np.zeros((1, 28, 28, 1), np.uint8)
    usual = runtimes.open_session(path).predict(row)
    names = [setting.name for setting in settings.for_runtime(runtime)]
    assert len(set(names)) == len(names) > 1
    for setting in settings.for_runtime(runtime):
        assert settings.get(runtime, setting.name) is setting
        session = setting.open(path)
        np.testing.assert_allclose(session.predict(row), usual, atol=tune.ALIKE)
        session.native_invoke()


def test_a_batch_that_has_no_free_size_cannot_be_fixed(monkeypatch):
    monkeypatch.setattr(onnxruntime, "open_with", lambda path: SimpleNamespace(free=()))
    with pytest.raises(ArtifactError, match=r"its batch is fixed already, or has no name to fix it by$"):
        settings.get("onnxruntime", "batch fixed to 1").open(MLP)


def test_a_runtime_without_a_module_has_no_settings():
    assert settings.for_runtime("keras") == ()


class Answers:
    """In place of workers: the second setting answers differently, the third is not opened, the fourth is slow."""

    def __init__(self, sides, core, kind):
        assert kind == "end_to_end"
        self.typical_ns = {place: 2.1e3 if place == 4 else 1e3 for place in range(len(sides))}

    def open(self, place):
        if place == 3:
            raise ArtifactError("it is fixed")

    def answers(self, place):
        return np.array([1.0, 2.0 if place == 2 else 0.0])

    def close(self):
        pass


@pytest.fixture
def faked(monkeypatch):
    """Two processes a round, in which each further side takes a tenth longer."""

    def twice(sides, *, seconds, rng, kind):
        assert (seconds, kind) == (pytest.approx(0.1), "end_to_end")
        blocks = np.tile(1e-4 * (1 + 0.1 * np.arange(len(sides))), (5, 1))
        return [Alternated(blocks, (), ())] * 2

    monkeypatch.setattr(alternating, "twice", twice)
    monkeypatch.setattr(tune, "SideWorkers", Answers)


def test_what_answers_otherwise_cannot_be_opened_or_is_far_slower_is_no_choice(faked):
    (candidate,) = select([MLP], warn=pytest.fail)
    steps = []
    found = tune.tune(candidate, Plan(), on_step=steps.append)
    names = [setting.name for setting in settings.for_runtime("onnxruntime")]
    assert [one.setting for one in found.tried] == [names[0], *names[4:]]
    whys = ["it answers differently", "it cannot be opened so: it is fixed", "it takes over 2 times as long"]
    assert found.left_out == dict(zip(names[1:4], whys, strict=True))
    assert [len(one.logarithms) for one in found.tried] == [10] * len(found.tried)
    assert found.speedups()[0].value == pytest.approx(1 / 1.1)
    assert steps[0].text == f"mlp-int8.onnx: trying {len(found.tried)} settings, round 1"


def test_a_process_that_dies_ends_the_trial_of_its_artifact(faked, recorded, monkeypatch):
    def die(self, place):
        raise WorkerFailedError("was ended by SIGSEGV")

    monkeypatch.setattr(Answers, "open", die)
    warnings = []
    tune.add(recorded, select([MLP], warn=pytest.fail), Plan(), warn=warnings.append)
    assert (warnings, recorded.tuned) == (["was ended by SIGSEGV"], {})


@pytest.fixture
def recorded(monkeypatch) -> record.Record:
    """A record of one artifact with one thread and with two."""
    made = made_up.record()
    monkeypatch.setattr(record.Record, "save", lambda self: None)
    made.results = [made_up.result(1e-4, path=str(MLP), runtime="onnxruntime", threads=n) for n in (1, 2)]
    return made


def test_a_record_keeps_what_was_tried_and_the_tables_show_what_won(faked, recorded, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    made = recorded
    tune.add(made, select([MLP, FILES["litert"]], warn=pytest.fail), Plan(), warn=pytest.fail)
    told = [one["tuned"] for one in made.to_json()["results"]]
    assert told[0] == told[1] == made.tuned[MLP].to_json()
    report.report(Console(), made)
    out = " ".join(capsys.readouterr().out.split())
    assert "mlp-int8.onnx onnxruntime no graph optimization 0.909× 0.909 – 0.909 slower, at least 1.1" in out
    assert "tuned mlp-int8.onnx (onnxruntime): of 4 settings tried, none is surely faster" in out
    made.tuned[MLP] = Tuned((tried("good", 0.05),))
    report.report(Console(), made)
    assert "tuned mlp-int8.onnx (onnxruntime): good, by this line: set('good')" in capsys.readouterr().out
    made.tuned[MLP] = Tuned(())
    report.report(Console(), made)
    assert "tuned mlp-int8.onnx (onnxruntime): its runtime has no settings to try" in capsys.readouterr().out
    made.tuned = {}
    report.report(Console(), made)
    assert capsys.readouterr().out == ""


def test_ctrl_c_keeps_what_was_tried(recorded, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(tune, "tune", stop)
    tune.add(recorded, select([MLP], warn=pytest.fail), Plan(), warn=pytest.fail)
    assert recorded.interrupted


def test_an_emulated_machine_tries_none(monkeypatch):
    tune.require_latencies()
    emulated = replace(host.describe(), emulated=True)
    monkeypatch.setattr(host, "describe", lambda: emulated)
    with pytest.raises(UsageError, match="this machine is emulated"):
        tune.require_latencies()


@pytest.mark.slow
def test_real_workers_try_each_setting():
    (candidate,) = select([FILES["litert"]], warn=pytest.fail)
    found = tune.tune(candidate, Plan(seconds=0.01, processes=1))
    names = {*(one.setting for one in found.tried), *found.left_out}
    assert names == {setting.name for setting in settings.for_runtime("litert")}
    assert all(len(one.logarithms) == 2 for one in found.tried)
