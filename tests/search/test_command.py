"""``toolkit search`` as it is called: one whole search, in this process, and what is refused."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from tests.compress.networks import knowing
from tests.conftest import SHIPPED
from tests.in_this_process import InThisProcess
from tests.study.test_study import Here
from toolkit import api
from toolkit.data import base
from toolkit.data.base import Split
from toolkit.errors import RunError
from toolkit.files import write_json, write_text
from toolkit.search import search, space
from toolkit.search.budgets import Costs
from toolkit.study.executors.base import ENDED, Event
from toolkit.study.executors.processes import Processes
from toolkit.study.trials import TrialState, record_failure

pytestmark = pytest.mark.usefixtures("here")


# What may be known of rows that nobody looks at: how many they are, and which.
IDENTITY = {"__len__", "images_sha256", "labels_sha256", "row_digests"}


@dataclass(frozen=True)
class Watched(Split):
    """Rows that tell who looks at them."""

    seen_by: ClassVar[list[str]] = []

    def __getattribute__(self, name):
        if name in ("images", "labels"):
            frame, functions = sys._getframe(1), set()
            while frame.f_globals["__name__"] in (__name__, base.__name__):
                functions.add(frame.f_code.co_name)
                frame = frame.f_back
            if not functions & IDENTITY:
                self.seen_by.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")
        return super().__getattribute__(name)


@pytest.fixture
def many(many):
    return replace(many, test=Watched(many.test.images, many.test.labels))


@pytest.fixture
def here_alone(monkeypatch, many):
    """Trainings and conversions in this process, which has TensorFlow already."""
    trained = []

    def carry_out(self, due, work):
        executor = Here(many)
        executor.trained = trained
        yield from executor(due, work)

    monkeypatch.setattr(Processes, "__call__", carry_out)
    monkeypatch.setattr("toolkit.search.costs.Process", InThisProcess)
    monkeypatch.setattr("toolkit.data.load", lambda data, **options: many)
    monkeypatch.setattr("toolkit.parity.verify.data.load", lambda data, **options: many)
    monkeypatch.setattr("toolkit.data.reads", lambda data: ())
    return trained


# A batch normalization needs some dozens of batches, of which an epoch has three here.
ASKED = ("--max-size", "6kB", "--trials", "1", "--epochs", "30", "--final-epochs", "0")


@pytest.fixture
def worse(tmp_path):
    """A model that never says the last class."""
    made = knowing()
    kernel, bias = made.get_weights()
    kernel[2, 2] *= -1
    made.set_weights([kernel, bias])
    made.save(tmp_path / "worse.keras")
    return tmp_path / "worse.keras"


@pytest.mark.slow
def test_a_search_opens_the_test_set_once_and_then_shows_what_was_found(cli, here, here_alone, monkeypatch, worse):
    # Each network that is looked at takes a conversion.
    monkeypatch.setattr(space, "WIDTHS", (4, 8))
    usual = space.usual()[:1]
    monkeypatch.setattr(space, "usual", lambda: usual)
    against, seen_before = ("--against", worse), {}

    def write(path, document):
        seen_before[path.name] = set(Watched.seen_by)
        write_json(path, document)

    monkeypatch.setattr(Watched, "seen_by", [])
    monkeypatch.setattr("toolkit.search.prove.write_json", write)
    code, out, err = cli("search", *ASKED, *against, "--json")
    assert code == 0, err
    # Before the front stands, only the golden of its exports takes rows, and nothing compares them with their labels.
    assert seen_before["front.json"] == {"toolkit.export.exporter._golden_rows"}
    assert seen_before["proof.json"] - seen_before["front.json"] == {
        "toolkit.parity.reference._compute",
        "toolkit.parity.verify.on_test_set",
        "toolkit.parity.against.answered_by",
    }
    document = json.loads(out)
    (one,), (member,) = document["candidates"], document["proof"]["members"]
    assert (document["command"], one["state"], one["epochs_run"]) == ("search", "finished", 30)
    artifact = here / "runs" / "search" / member["artifact"]
    assert artifact.stat().st_size == member["size_bytes"] == one["size_bytes"] <= 6_000
    assert (document["proof"]["looks"], document["proof"]["n"], document["proof"]["confidence"]) == (1, 3_000, 0.95)
    assert member["rival_gained"] > 500  # of the 1,000 that it never says
    metrics = json.loads((here / "runs" / "search" / "trial-001" / "metrics.json").read_text())
    assert (metrics["test_accuracy"], metrics["test_loss"]) == (None, None)
    assert "opening the test set for 1 candidate" in err
    trained = list(here_alone)
    monkeypatch.setattr("toolkit.search.conduct.prove", pytest.fail)
    again = cli("search", *ASKED, *against, "--json")
    assert (again[0], json.loads(again[1])["proof"]) == (0, document["proof"])
    assert here_alone == trained
    shown = cli("search", "--show", "search")
    assert shown[0] == 0
    assert "1 of 1 candidates finished; report: runs/search/search.md, runs/search/search.html" in shown[1]
    assert api.report_search(here / "runs" / "search").search == search.read(here / "runs" / "search")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--max-size", "16"), "--max-size is '16'; it must be a number and a unit: B, kB, MB, GB"),
        (("--min-accuracy", "0"), "--min-accuracy is 0; it must be a percentage between 0 and 100"),
        (("--trials", "0"), "--trials is 0; it must be from 1 to 10,000"),
        (("--jobs", "0"), "the number of jobs is 0; it must be from 1 to 64"),
        (("--jobs", "65"), "the number of jobs is 65; it must be from 1 to 64"),
        (("--max-latency", "50us", "--jobs", "2"), "--max-latency is timed on this machine between trainings;"),
        (("--max-latency", "50us", "--ray", "auto"), "between trainings; leave --jobs and --ray out"),
        (("--hours", "9000"), "--hours is 9,000; it must be from 0.001 to 8,760"),
        (("--ray", "auto", "--jobs", "2"), "--jobs is for this machine, --ray for a cluster; leave out one of them"),
        (("--finalists", "0"), "--finalists is 0; it must be from 1 to 100"),
        (("--finalists", "2", "--final-epochs", "0"), "--final-epochs 0 that none is; leave one out"),
        (("--final-epochs", "-1"), "the number of epochs is -1; it must be from 1 to 1,000,000"),
        (("--warmup", "60"), "the warm-up takes 60 of 60 epochs"),
        (("--epochs", "0"), "the number of epochs is 0; it must be from 1 to 1,000,000"),
        (("--qat", "--epochs", "1", "--final-epochs", "0"), "--qat first trains in float: --epochs must be at least 2"),
        (("--max-instructions", "200000"), "--max-instructions is '200000'; it must be a number and a unit: k, M, G"),
        (("--max-latency", "-50us"), "--max-latency is '-50us'; it must be a number and a unit: s, ms, us, µs"),
        (("--name", "a/b"), "'a/b' is no name; allowed: one without a slash"),
        (("--against", "nothing"), "nothing: no such file, folder or run"),
        (("--augment", "none"), "unknown augmentation 'none'"),
        (("--show", "none", "--trials", "3"), "--show trains nothing; leave out --trials"),
        (("--show", "none"), "no search is called 'none'; known searches: none; 'toolkit search' makes one"),
        (("--min-accuracy", "99.9"), "has 90 test rows; no fewer than 3,838 could show 99.9 %"),
        (("--against", SHIPPED / "mlp.keras"), "has 90 test rows; no fewer than 2,70"),
    ],
)
def test_nonsense_is_one_line_and_exit_code_2(cli, here, monkeypatch, tiny, arguments, says):
    monkeypatch.setattr("toolkit.data.load", lambda data, **options: tiny)
    code, out, err = cli("search", *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_a_teacher_of_other_data_is_refused_before_anything_is_converted(cli, here, here_alone, monkeypatch):
    monkeypatch.setattr("toolkit.search.costs.Costing.costs_of", lambda self, model: pytest.fail("it was converted"))
    code, _, err = cli("search", *ASKED, "--teacher", SHIPPED / "mlp.keras")
    assert code == 2
    assert "mlp.keras" in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("error: ")
    assert list(here.iterdir()) == []


def test_ctrl_c_before_anything_was_begun_ends_with_130(cli, here_alone, monkeypatch):
    def interrupt(self, model):
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.search.costs.Costing.costs_of", interrupt)
    code, _, err = cli("search", *ASKED)
    assert (code, err.splitlines()[-1]) == (130, "error: interrupted")


def test_ctrl_c_in_a_training_says_how_to_go_on(cli, here_alone, monkeypatch):
    def interrupt(self, due, work):
        next(iter(due))
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Processes, "__call__", interrupt)
    monkeypatch.setattr("toolkit.search.costs.Costing.costs_of", lambda self, model: Costs(1, 1, 1, 1))
    code, out, err = cli("search", *ASKED, "--json")
    assert code == 130
    assert "interrupted: 0 of 1 candidates finished; call the same again to go on" in err
    assert json.loads(out)["interrupted"] is True


def test_a_crash_is_shown_with_its_reason(cli, here, here_alone, monkeypatch):
    def crash(self, due, work):
        for trial in due:
            record_failure(trial, TrialState.CRASHED, "ValueError: no memory")
            yield Event(trial, ENDED)

    monkeypatch.setattr(Processes, "__call__", crash)
    monkeypatch.setattr("toolkit.search.costs.Costing.costs_of", lambda self, model: Costs(1, 1, 1, 1))
    code, out, err = cli("search", *ASKED)
    assert code == 1
    assert "warning: trial-001 crashed: ValueError: no memory" in err
    assert "no candidate has all its 30 epochs yet: 0 of 1 candidates finished, 1 crashed." in out
    assert "| crashed | – | ValueError: no memory |" in (here / "runs" / "search" / "search.md").read_text()


def test_a_search_is_found_by_its_name_before_a_folder_of_that_name(here):
    for folder in ("runs/small", "small", "elsewhere/large"):
        write_text(here / folder / search.DOCUMENT, "{}")
    assert search.find("small") == Path("runs/small")
    assert search.find("elsewhere/large") == Path("elsewhere/large")
    with pytest.raises(RunError, match="no search is called 'large'; known searches: small; 'toolkit search' makes"):
        search.find("large")


def test_instructions_that_nothing_counts_here_are_refused_in_one_line(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.bench.instructions.perf.refused", lambda: "the machine has no such event")
    monkeypatch.setattr("toolkit.bench.instructions.qemu.lacking", lambda cpu: "qemu-x86_64 is not installed")
    code, out, err = cli("search", "--max-instructions", "0.2M")
    assert (code, out) == (2, "")
    assert err == (
        "error: instructions cannot be counted: perf events are not counted here (the machine has no such event), and "
        "qemu-x86_64 is not installed\n"
    )
    assert list(here.iterdir()) == []
