"""Two parts of one benchmark."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import made_up
from toolkit.bench import record, resume
from toolkit.bench.plan import Plan
from toolkit.bench.result import Mark
from toolkit.errors import ArtifactError, UsageError


@pytest.fixture
def part(tmp_path):
    """Make a record with samples on the disk; returns it as it is read."""

    def make(name, *, seed=0, path="m/a.tflite", **facts):
        folder = tmp_path / name
        folder.mkdir()
        made = replace(made_up.record(**facts), folder=folder, seconds=2.0)
        for number, (quantization, median_s) in enumerate((("float32", 2e-4), ("int8", 1e-4))):
            one = made_up.result(median_s, path=f"{path}{number}", seed=seed + number, samples=f"{number}.npz")
            made.results.append(replace(one, quantization=quantization, marks=(Mark(4, 2, "clock changed"),)))
        for result in made.results:
            result.write_samples(folder)
        made.save()
        return record.read(folder)

    return make


def test_what_is_left_is_planned_as_long_for_each_process_and_in_another_order(part):
    plan = Plan(processes=8, seconds=4.0, seed=3)
    rest = resume.rest(part("earlier"), plan)
    assert (rest.processes, rest.seed, rest.turns) == (3, 8, plan.turns)
    with pytest.raises(UsageError, match="all 5 processes of each were measured; nothing is left to resume"):
        resume.rest(part("whole"), replace(plan, processes=5))


def test_joined_parts_are_one_record_whose_figures_are_rebuilt_from_its_samples(part):
    earlier, later = part("earlier"), part("later", seed=7)
    joined = resume.join(earlier, later)
    joined.save()
    shutil.rmtree(later.folder)
    assert record.recompute(earlier.folder).differences == ()
    again = record.read(earlier.folder)
    assert (again.folder, again.seconds, resume.rounds(again)) == (earlier.folder, 2.0, 10)
    for before, after, both in zip(earlier.results, later.results, again.results, strict=True):
        assert np.array_equal(both.invoke.samples, np.concatenate([before.invoke.samples, after.invoke.samples]))
        assert both.invoke.lengths.shape == (10, made_up.TURNS)
        assert (len(both.opened), both.marked) == (10, {"clock changed": 2})
        assert [mark.process for mark in both.marks] == [4, 9]
    assert again.speedup(again.results[1]) is not None


def test_parts_that_are_not_of_one_benchmark_are_not_joined(part):
    earlier = part("earlier")
    with pytest.raises(ArtifactError, match="was measured on another machine, or with other versions"):
        resume.join(earlier, part("elsewhere", cpu="another"))
    with pytest.raises(ArtifactError, match="was measured on another machine, or with other versions"):
        resume.join(earlier, replace(part("updated"), versions={"onnxruntime": "0"}))
    with pytest.raises(ArtifactError, match="holds other artifacts or configurations than were measured now"):
        resume.join(earlier, part("others", path="m/b.tflite"))
    changed = part("changed")
    changed.results[0] = replace(changed.results[0], sha256="f" * 64)
    with pytest.raises(ArtifactError, match="holds other artifacts or configurations than were measured now"):
        resume.join(earlier, changed)
    assert record.recompute(earlier.folder).differences == ()


def test_a_later_part_in_which_nothing_was_measured_leaves_the_earlier_one(part):
    earlier, later = part("earlier"), part("later")
    joined = resume.join(earlier, replace(later, results=[], interrupted=True))
    assert (resume.rounds(joined), joined.interrupted) == (5, True)
    assert Path(joined.folder) == earlier.folder


def test_samples_of_more_processes_than_the_record_tells_of_leave_it_as_it_was(part):
    """A kill between the samples of both parts and the record that joins them."""
    earlier, later = part("earlier"), part("later", seed=7)
    resume.join(earlier, later)
    assert record.recompute(earlier.folder).differences == ()
    again = record.read(earlier.folder)
    assert resume.rounds(again) == 5
    resume.join(again, later).save()
    assert record.recompute(earlier.folder).differences == ()
    assert resume.rounds(record.read(earlier.folder)) == 10
