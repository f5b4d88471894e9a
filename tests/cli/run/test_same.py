"""What a run says of its artifacts, from made-up comparisons."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.cli.run import same
from toolkit.parity.checks import Problem
from toolkit.parity.compare import Comparison
from toolkit.parity.figures import Figures


def comparison(name, lost=0, gained=0, n=1000, problem=None):
    figures = Figures(n, n, lost, gained, lost + gained, 0, 0.0, 0.0, 0.0, 0.0, 0.0, (n,), (n,), (n,), ())
    return Comparison(f"there/{name}", "litert", "tflite", "int8", "0", 0.5, n, figures=figures, problem=problem)


def lines(*comparisons, choice="sample", model="cnn", code=(), overlaps=False, noun="image"):
    """Return what is said of artifacts in the folder ``my runs``."""
    verified = SimpleNamespace(
        comparisons=comparisons,
        dataset={"n": comparisons[0].n},
        subject=Path("my runs"),
        overlaps=overlaps,
        noun=noun,
    )
    return same.lines(verified, model=model, choice=choice, code=code)


PROVEN = "percentage points of accuracy are lost (with 95 % confidence, on 1,000 test images)"


def test_a_run_whose_artifacts_all_pass_says_no_more():
    said = lines(comparison("a.tflite"), comparison("b.tflite", lost=1))
    assert said == [f"2 of 2 artifacts are proven to be as good: no more than 0.5 {PROVEN}"]


def test_too_few_images_are_nobody_s_fault_and_what_settles_it_is_said():
    said = lines(comparison("a.tflite"), comparison("b.tflite", lost=2), comparison("c.tflite", lost=3, gained=2))
    needed = max(comparison("x", lost=2).images_to_decide, comparison("x", lost=3, gained=2).images_to_decide)
    assert said == [
        f"1 of 3 artifacts is proven to be as good: no more than 0.5 {PROVEN}",
        "1,000 images are too few to prove that of b.tflite and c.tflite. Nothing is wrong there: on these images at "
        "most 0.20 points were lost",
        f"more test images would settle it, about {needed:,} in all (toolkit run --data mnist, once MNIST can be "
        "fetched, has 10,000)",
        "or allow more to be lost, as little as these images can prove: toolkit verify 'my runs' --margin 0.7",
    ]


def test_rows_of_values_are_not_called_images():
    assert "image" not in " ".join(lines(comparison("a.tflite"), comparison("b.tflite", lost=2), noun="row"))


def test_the_margin_that_it_names_is_one_that_passes():
    for lost in range(2, 5):
        undecided = comparison("b.tflite", lost=lost)
        named = float(lines(undecided)[-1].rpartition(" ")[2])
        assert undecided.verdict == "inconclusive"
        assert replace(undecided, margin_pp=named).verdict == "pass"
        assert replace(undecided, margin_pp=named - 0.1).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("choice", "model", "more", "wider"),
    [
        (
            "sample",
            "mlp",
            "(toolkit run --data mnist --model mlp, once MNIST can be fetched, has 10,000)",
            "--margin 0.4",
        ),
        ("mnist", "cnn", "would settle it, about", "--margin 0.4"),
        ("my data.npz", "cnn", "would settle it, about", "--margin 0.4 --data 'my data.npz'"),
    ],
)
def test_the_commands_at_the_end_of_a_run_fit_what_was_run(choice, model, more, wider):
    said = lines(comparison("a.tflite", lost=2, n=3000), choice=choice, model=model)
    undecided = lines(comparison("a.tflite", lost=0, n=90), choice=choice, model=model)
    assert len(said) == 1
    assert undecided[0].startswith("none of the 1 artifacts is proven to be as good")
    assert undecided[1].endswith("on these images no accuracy was lost")
    assert more in undecided[2]
    assert ("--data mnist" in undecided[2]) == (choice == "sample")
    assert undecided[3].endswith(wider.replace("0.4", "3"))


def test_a_failure_is_named_with_its_reason():
    said = lines(comparison("a.tflite", problem=Problem("x", "its outputs are NaN")), comparison("b.tflite", lost=90))
    assert said[1:] == [
        "a.tflite failed: its outputs are NaN",
        "b.tflite failed: it loses more than 0.5 percentage points of accuracy",
    ]


def test_images_that_were_learned_from_come_first():
    assert lines(comparison("a.tflite"), overlaps=True)[0].startswith(
        "the model has learned from some of the 1,000 test"
    )


def test_a_command_brings_the_code_that_the_model_runs():
    said = lines(comparison("a.tflite", n=90), model="my_net.py", code=["--import", "my net.py"])
    assert "(toolkit run --data mnist --model my_net.py --import 'my net.py', once" in said[-2]
    assert said[-1].endswith("--import 'my net.py'")
