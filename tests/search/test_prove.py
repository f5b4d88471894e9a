"""The files of a front: kept where they are whole, and refused where they are too large."""

import re
import shutil
from dataclasses import replace

import pytest

from tests.compress.networks import uneven
from tests.search.made_up import Learned
from tests.search.test_conduct import carry_out, learn
from toolkit.errors import RunError
from toolkit.export import sources
from toolkit.files import write_text
from toolkit.search import prove, report
from toolkit.search.asked import SearchRequest
from toolkit.search.budgets import Budgets
from toolkit.search.conduct import Limits
from toolkit.search.proof import FRONT


class OpenedError(Exception):
    """What ends a call that opens the test set."""


@pytest.fixture
def searched(tmp_path, tiny, monkeypatch, trained_folder, exported_once):
    """A search of one candidate, which was exported before a kill."""
    with monkeypatch.context() as patch:
        patch.setattr("toolkit.search.conduct.prove", lambda search, *_, **__: search)
        asked = SearchRequest(Budgets(max_size_bytes=100_000.0), epochs=3, final_epochs=0)
        of = carry_out(tmp_path / "search", tiny, Learned(learn), asked=asked, limits=Limits(trials=1))
    (one,) = of.candidates
    shutil.copyfile(trained_folder / "best.keras", one.folder / "best.keras")
    shutil.copytree(exported_once, one.folder / "exported" / "tiny")

    def look(*_, **__):
        raise OpenedError

    monkeypatch.setattr("toolkit.search.prove.verify.verify_all", look)
    return of


def files_of(of):
    return of.candidates[0].folder / "exported" / "tiny"


def test_a_whole_file_is_not_exported_again(searched, tiny, monkeypatch):
    monkeypatch.setattr("toolkit.search.prove.exporter.export", pytest.fail)
    with pytest.raises(OpenedError):
        prove.prove(searched, tiny, None, must_match=False, warn=pytest.fail, on_step=lambda step: None)
    assert (searched.folder / FRONT).is_file()
    assert prove.exported(searched.candidates[0]).path == files_of(searched) / "cnn-int8.tflite"


def test_a_front_that_was_opened_beside_one_model_is_not_opened_beside_another(searched, tiny, trained_folder):
    def open_beside(rival, must_match=True):
        prove.prove(searched, tiny, rival, must_match=must_match, warn=pytest.fail, on_step=lambda step: None)

    rival = sources.resolve(str(trained_folder))
    for _ in range(2):
        with pytest.raises(OpenedError):
            open_beside(rival)
    changed = replace(rival, origin=replace(rival.origin, sha256="0" * 64))
    for options, then in (((None,), ""), ((rival, False), ""), ((changed,), " as it was then")):
        with pytest.raises(RunError, match=f"its test set was opened beside .*best.keras{then}, and is opened once"):
            open_beside(*options)


@pytest.mark.parametrize("name", ["exported/tiny/cnn-int8.tflite", "exported/tiny/golden.npz", "best.keras"])
def test_a_file_that_was_changed_or_is_of_other_weights_is_exported_again(searched, name):
    with (searched.candidates[0].folder / name).open("ab") as file:
        file.write(b"more")
    assert prove.exported(searched.candidates[0]) is None


def test_a_manifest_that_is_damaged_or_missing_or_lists_no_int8_file_is_no_export(searched):
    path = files_of(searched) / "manifest.json"
    text = path.read_text()
    for damaged in ("{", text.replace('"quantization": "int8"', '"quantization": "int4"')):
        write_text(path, damaged)
        assert prove.exported(searched.candidates[0]) is None
    path.unlink()
    assert prove.exported(searched.candidates[0]) is None


@pytest.fixture
def uneven_one(searched, trained_folder):
    """A candidate that int8 costs its accuracy, and what opens the test set for it; it returns what was told."""
    (one,) = searched.candidates
    shutil.rmtree(one.folder / "exported")
    shutil.copyfile(trained_folder / "config.json", one.folder / "config.json")
    uneven().save(one.folder / "best.keras")

    def open_for(tiny, budgets):
        left = prove.Chosen(searched.folder, [one], searched.data, budgets, least_accuracy=0.9)
        told = []
        with pytest.raises(OpenedError):
            prove.open_test_set(
                left, tiny, None, must_match=False, warn=lambda text: None, on_step=lambda step: told.append(step.text)
            )
        return told

    return one, open_for


@pytest.mark.slow
def test_where_int8_gets_too_few_validation_rows_right_layers_stay_in_float(uneven_one, tiny):
    one, open_for = uneven_one
    open_for(tiny, Budgets(max_size_bytes=10_000.0))
    made = prove.exported(one)
    assert (made.artifact.quantization, sorted(made.artifact.details["float16"])) == ("mixed", ["answer", "wide"])
    assert [listed.quantization for listed in made.manifest.artifacts] == ["int8", "mixed"]


@pytest.mark.slow
def test_layers_stay_in_float_only_where_the_file_is_small_enough(uneven_one, tiny):
    one, open_for = uneven_one
    told = open_for(tiny, Budgets(max_size_bytes=3_000.0))
    assert prove.exported(one).artifact.quantization == "int8"
    assert re.match(r"trial-001: with as much in float as is needed \((wide|answer), .*\) it takes 3\.", told[1])


def test_files_that_are_all_too_large_leave_the_test_set_closed_and_say_so(searched, tiny):
    small = replace(searched, asked=replace(searched.asked, budgets=Budgets(max_size_bytes=6_000.0)))
    told = []
    options = {"must_match": False, "warn": told.append, "on_step": lambda step: None}
    assert prove.prove(small, tiny, None, **options) == small
    assert not (small.folder / FRONT).exists()
    size = prove.exported(small.candidates[0]).artifact.size_bytes
    assert told == [f"trial-001 takes {size / 1_000:.1f} kB of int8 file, more than --max-size allows; it is left out"]
    assert report.conclude(small) == (
        "all int8 files that were made are too large now that their weights are trained: the smallest, of trial-001, "
        f"takes {size / 1_000:.1f} kB, and --max-size is 6.00 kB; the test set was left closed"
    )
