"""``toolkit compress`` as it is called: one whole compression, in this process, and what is refused."""

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.compress.test_conduct import Costing, telling
from tests.in_this_process import InThisProcess
from tests.search.made_up import Learned
from tests.study.test_study import Here
from toolkit import data
from toolkit.compress import compression, conduct
from toolkit.compress.candidates import STEP
from toolkit.export import sources
from toolkit.files import write_json
from toolkit.runtimes import open_session
from toolkit.search import prove
from toolkit.search.budgets import Costs
from toolkit.search.proof import Member, Paired, Proof
from toolkit.study.executors.processes import Processes
from toolkit.verdict import Verdict

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def trained(trusted, monkeypatch, tiny_npz):
    """Train, convert and run the original in this process, which has TensorFlow; return the epochs trained."""
    epochs = []

    def carry_out(self, due, work):
        executor = Here(data.load(str(tiny_npz), warn=pytest.fail))
        executor.trained = epochs
        yield from executor(due, work)

    monkeypatch.setattr(Processes, "__call__", carry_out)
    monkeypatch.setattr("toolkit.search.costs.Process", InThisProcess)
    here_too = SimpleNamespace(open_session=open_session)  # for the original beside the candidates
    monkeypatch.setattr("toolkit.search.prove.contained", lambda: nullcontext(here_too))
    return epochs


@pytest.mark.slow
def test_the_cnn_becomes_a_ninth_of_its_size_and_is_still_good(
    cli, here, trained, trained_folder, tiny_npz, monkeypatch
):
    """It takes 62 kB in int8; what is left of it can be exported.

    Each width that is tried is converted: the steps from one to the next are larger here, and there are fewer.
    """
    monkeypatch.setattr(conduct, "STEP", STEP**conduct.APART)
    monkeypatch.setattr(conduct, "APART", 1)
    asked = ("compress", trained_folder, "--data", tiny_npz, "--max-size", "7kB", "--min-accuracy", "90")
    code, out, err = cli(*asked, "--epochs", "8")
    assert code == 0, out + err
    assert "is the smallest that is surely at least 90 % accurate" in out
    assert "opening the test set for" in err
    assert "take int8, no layer need be in float" in err
    epochs = list(trained)
    code, out, _ = cli(*asked, "--epochs", "8", "--json")
    assert (code, trained) == (0, epochs)  # it was shown again, not trained
    document = json.loads(out)
    proof, original = document["proof"], document["original"]
    member = next(one for one in proof["members"] if one["name"] == document["smallest"])
    assert (proof["looks"], proof["n"], proof["rival"]) == (1, 90, "best.keras")
    assert member["reaches_min_accuracy"] is True
    assert member["rival_lost"] is not None
    chosen = next(one for one in document["candidates"] if one["name"] == document["smallest"])
    assert chosen["size_bytes"] <= 7_000 < original["costs"]["size_bytes"] / 8
    artifact = here / "runs" / "compress" / member["artifact"]
    assert artifact.stat().st_size == member["size_bytes"] == chosen["size_bytes"]
    source = sources.resolve(f"compress/{document['smallest']}")
    assert (source.name, source.recipe.validation_split) == ("cnn-small", 0.2)


@pytest.fixture
def told(cli, monkeypatch, trained_folder, tiny_npz):
    """Call it for 13 kB and 90 %, with one candidate that comes to a validation accuracy, and is of as many bytes."""

    def call(accuracy, size_bytes=12_000, *, source=trained_folder):
        learned = Learned(telling(accuracy, 0.5))
        monkeypatch.setattr(Processes, "__call__", lambda self, due, work: learned(due, work))
        monkeypatch.setattr("toolkit.compress.conduct.Costing", Costing)
        monkeypatch.setattr("toolkit.compress.conduct._Narrower.widest_that_fits", lambda self, **_: 9)
        monkeypatch.setattr("toolkit.search.prove.exported", lambda one: made(one, size_bytes))
        given = ("--data", tiny_npz, "--max-size", "13kB", "--min-accuracy", "90", "--epochs", "3")
        return cli("compress", source, *given)

    return call


def candidates(out):
    """Return what is printed from the first candidate on, with one space between words."""
    found = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    return found[3:]  # behind the headings, a rule and the original


def made(one, size_bytes):
    """What an export would have come to."""
    name = "cnn-small-int8.tflite"
    listed = SimpleNamespace(path=name, format="tflite", quantization="int8", size_bytes=size_bytes)
    return prove.Made(one, SimpleNamespace(folder=one.outcome.trial.folder / "exported", artifacts=[listed]))


@pytest.mark.slow
def test_what_is_not_reached_on_the_validation_rows_is_said_with_what_came_nearest(told):
    code, out, _ = told(0.89)
    assert (code, candidates(out)) == (
        1,
        [
            "candidate-1 46 % 11.2 kB 11,177 89.00 % – – –",
            "nothing under 13.0 kB is surely at least 90 % accurate; nearest: candidate-1 (11.2 kB) with 89.00 % on "
            "the validation rows, where 90.00 % was needed; the test set was left closed.",
        ],
    )


@pytest.mark.slow
def test_files_that_are_all_too_large_are_said_to_be(told):
    code, out, err = told(0.95, 13_400)
    assert (code, candidates(out)[-1]) == (
        1,
        "nothing under 13.0 kB is surely at least 90 % accurate; all int8 files that were made are too large now that "
        "their weights are trained: the smallest, of candidate-1, takes 13.4 kB, and --max-size is 13.0 kB; the test "
        "set was left closed.",
    )
    assert "candidate-1 takes 13.4 kB of int8 file, more than --max-size allows; it is left out" in err


@pytest.mark.slow
def test_what_the_test_set_does_not_show_is_said_with_what_came_nearest(told, monkeypatch):
    def opened(left, *_, **__):
        members = tuple(
            Member(one.name, "cnn-small-int8.tflite", 12_000, 85, Paired(1, 0), Verdict.PASS, Paired(6, 2))
            for one in left.candidates
        )
        return Proof(90, 0.9, "best.keras", 89, False, members)

    monkeypatch.setattr("toolkit.compress.conduct.open_test_set", opened)
    code, out, _ = told(0.95)
    assert (code, candidates(out)) == (
        1,
        [
            "candidate-1 46 % 11.2 kB 11,177 95.00 % 94.44 % (87.65 – 97.60) 4.44 (at most 10.52) pass",
            "candidate-2 32 % 5.62 kB 5,622 50.00 % – – –",
            "nothing under 13.0 kB is surely at least 90 % accurate; nearest: candidate-1 with 94.44 % (87.65 – 97.60) "
            "on the test set.",
        ],
    )


@pytest.mark.slow
def test_a_file_with_layers_in_float_is_shown_with_its_own_size_and_named(told, monkeypatch):
    def opened(left, *_, **__):
        (one,) = left.candidates
        known = Member(
            one.name, "there/cnn-small-mixed.tflite", 12_900, 90, Paired(0, 0), Verdict.PASS, Paired(0, 1), "mixed"
        )
        return Proof(90, 0.9, "best.keras", 89, False, (known,))

    monkeypatch.setattr("toolkit.compress.conduct.open_test_set", opened)
    code, out, _ = told(0.95)
    assert (code, candidates(out)) == (
        0,
        [
            "candidate-1 46 %, mixed 12.9 kB 11,177 95.00 % 100.00 % (95.91 – 100.00) -1.11 (at most 1.84) pass",
            "candidate-2 32 % 5.62 kB 5,622 50.00 % – – –",
            "candidate-1 is the smallest that is surely at least 90 % accurate: 12.9 kB with 100.00 % (95.91 – 100.00) "
            "on the test set; some of its layers are in float, and its file is "
            "runs/compress/there/cnn-small-mixed.tflite.",
        ],
    )


@pytest.mark.slow
def test_an_original_without_validation_rows_keeps_the_rest_of_its_recipe(told, trained_folder, tmp_path):
    folder = shutil.copytree(trained_folder, tmp_path / "whole")
    config = json.loads((folder / "config.json").read_text())
    config["recipe"] |= {"validation_split": 0.0, "monitor": "loss", "seed": 7}
    write_json(folder / "config.json", config)
    code, _, err = told(0.5, source=folder)
    assert code == 1
    assert "was trained without validation rows; those of its candidates are among what it has learned" in err
    asked = compression.read(Path("runs/compress")).asked
    assert (asked.validation_split, asked.batch_size, asked.seed) == (0.2, 16, 7)


COSTS = (Costs(1, 1, 1, 1), Costs(60_000, 1, 1, 1))  # of a candidate, of the original
SIZE, ACCURACY = ("--max-size", "7kB"), ("--min-accuracy", "90")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none", *SIZE), "none: no such file, folder or run"),
        (("RUN",), "Missing option '--max-size'"),
        (("RUN", "--max-size", "16"), "--max-size is '16'; it must be a number and a unit: B, kB, MB, GB"),
        (("RUN", *SIZE, "--min-accuracy", "0"), "--min-accuracy is 0; it must be a percentage between 0 and 100"),
        (("RUN", *SIZE, *ACCURACY, "--epochs", "0"), "the number of epochs is 0; it must be"),
        (("RUN", *SIZE, *ACCURACY, "--name", "a/b"), "'a/b' is no name; allowed: one without a slash"),
        (("RUN", *SIZE), "has 90 test rows; no fewer than 2,70"),
        (("RUN", *SIZE, "--min-accuracy", "99.9"), "has 90 test rows; no fewer than 3,838 could show 99.9 %"),
    ],
)
def test_nonsense_is_one_line_and_exit_code_2(cli, here, trained_folder, tiny_npz, arguments, says):
    whole = [trained_folder if one == "RUN" else one for one in arguments]
    code, out, err = cli("compress", *whole, "--data", tiny_npz)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_in_a_training_says_how_to_go_on(cli, trained, trained_folder, tiny_npz, monkeypatch):
    def interrupt(self, due, work):
        next(iter(due))
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Processes, "__call__", interrupt)
    monkeypatch.setattr(
        "toolkit.search.costs.Costing.costs_of", lambda self, model: COSTS[model.endswith("best.keras")]
    )
    asked = (trained_folder, "--data", tiny_npz, *SIZE, *ACCURACY)
    code, out, err = cli("compress", *asked, "--json")
    assert code == 130
    assert "interrupted: 0 of 1 candidates finished; call the same again to go on" in err
    assert json.loads(out)["interrupted"] is True


@pytest.mark.slow
def test_ctrl_c_before_anything_was_begun_ends_with_130(cli, trained_folder, tiny_npz, monkeypatch):
    def interrupt(self, model):
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.search.costs.Costing.costs_of", interrupt)
    code, _, err = cli("compress", trained_folder, "--data", tiny_npz, *SIZE, *ACCURACY)
    assert (code, err.splitlines()[-1]) == (130, "error: interrupted")
