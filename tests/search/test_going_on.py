"""A search whose folder has changed: by another process, or by hand."""

import json
import shutil
from dataclasses import replace

import pytest

from tests.search.made_up import ASKED, Costing, Learned
from tests.search.test_conduct import begun, carry_out, learn
from tests.search.test_proof import member
from toolkit.errors import RunError
from toolkit.files import documents, write_json
from toolkit.search import conduct, search
from toolkit.search.conduct import Limits
from toolkit.search.experiment import CANDIDATE
from toolkit.search.proof import FRONT, PROOF, Proof

ONE, THREE = Limits(trials=1), Limits(trials=3)


pytestmark = pytest.mark.usefixtures("closed")


def go_on(of, dataset, executor, limits=THREE):
    return conduct.conduct(of, dataset, executor, Costing(), limits, warn=pytest.fail)


def test_what_another_process_has_trained_in_between_is_not_trained_again(tmp_path, tiny):
    before = begun(tmp_path, tiny)
    there = carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=2))
    executor = Learned(learn)
    of = go_on(before, tiny, executor)
    assert [trial.folder.name for trial in executor.trained] == ["trial-003"]
    assert of.candidates[:2] == there.candidates
    assert of.spent_s >= there.spent_s


def test_a_proof_that_another_process_has_made_in_between_is_returned(tmp_path, tiny):
    before = begun(tmp_path, tiny)
    carry_out(tmp_path, tiny, Learned(learn), limits=ONE)
    proof = Proof(10_000, None, None, None, False, (member(),))
    write_json(tmp_path / PROOF, {"schema": 1, **documents.to_tree(proof)})
    executor = Learned(learn)
    assert go_on(before, tiny, executor).proof.members == proof.members
    assert executor.trained == []


def test_a_search_for_something_else_that_came_in_between_is_refused(tmp_path, tiny):
    before = begun(tmp_path, tiny, replace(ASKED, seed=1))
    carry_out(tmp_path, tiny, Learned(learn), limits=ONE)
    with pytest.raises(RunError, match=r"has a search for something else \(--seed 0\)"):
        go_on(before, tiny, Learned(learn))


def test_a_candidate_that_was_removed_by_hand_costs_no_other_its_place(tmp_path, tiny):
    carry_out(tmp_path, tiny, Learned(learn), limits=THREE)
    kept = (tmp_path / "trial-003" / CANDIDATE).read_text()
    shutil.rmtree(tmp_path / "trial-002")
    of = carry_out(tmp_path, tiny, Learned(learn), limits=THREE)
    assert [one.name for one in of.candidates] == ["trial-001", "trial-003", "trial-004"]
    assert (tmp_path / "trial-003" / CANDIDATE).read_text() == kept


def test_the_folders_are_read_as_they_are_named(tmp_path, tiny):
    carry_out(tmp_path, tiny, Learned(learn), limits=THREE)
    (tmp_path / "trial-002").rename(tmp_path / "trial-10")
    assert [one.name for one in search.read(tmp_path).candidates] == ["trial-001", "trial-003", "trial-10"]


def test_the_file_that_speaks_of_a_missing_candidate_is_named(tmp_path, tiny):
    of = begun(tmp_path, tiny)
    for by in (FRONT, PROOF):
        with pytest.raises(RunError, match=f"{by} speaks of trial-001, which is not there"):
            of.named("trial-001", by=by)


def test_the_time_of_a_training_that_a_kill_ends_counts(tmp_path, tiny):
    """A kill leaves what the file has after the last whole epoch, and the next call counts from there."""
    seconds = iter(range(1_000))
    left = []

    def on_step(step):
        if "epoch" in step.text:
            left.append(json.loads((tmp_path / search.DOCUMENT).read_text())["spent_s"])

    carry_out(tmp_path, tiny, Learned(learn), limits=ONE, clock=lambda: next(seconds), on_step=on_step)
    assert len(left) == 3
    assert left == sorted(set(left))
    assert begun(tmp_path, tiny).spent_s > left[-1]
