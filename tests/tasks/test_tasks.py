"""The tasks, each walked once: good enough, the same in every artifact, and asked as a device asks, without toolkit."""

from dataclasses import replace

import pytest

from tests.tasks.made import SMALL
from tests.tasks.walk import walk
from toolkit.verdict import Verdict

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::toolkit.errors.ToolkitWarning")]

# What is good enough is reached well before the epochs of the page end.
FEWER_EPOCHS = {"table": 20, "digits": 15, "accelerometer": 6, "words": 5, "photos": 12}


@pytest.mark.parametrize("task", SMALL, ids=lambda task: task.name)
def test_a_task_is_walked_from_its_data_to_an_answer_on_a_device(task, tmp_path, device):
    """The programs of the bundles run in an environment that has the edge part alone."""
    task = replace(task, epochs=FEWER_EPOCHS[task.name])
    walked = walk(task, tmp_path, python=device.with_name("python"))
    assert walked.trained.test.accuracy >= task.least
    assert walked.exported.failures == {}
    assert walked.parity.verdict != Verdict.FAIL, walked.parity.to_json()
    assert (len(walked.measured.results), len(walked.exported.made)) == (2, 4)
    assert {one.classes[0] for one in walked.predicted} == {walked.answer}
    for artifact, (golden, answers) in walked.printed.items():
        same, of = (int(word) for word in golden.split() if word.isdecimal())
        assert same == of, f"{artifact}: {golden}"
        assert [line.split()[0] for line in answers.splitlines()] == [walked.answer] * len(walked.predicted), artifact
