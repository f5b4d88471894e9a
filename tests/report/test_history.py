"""The history of a run, as it is read."""

import math

import pytest

from toolkit.errors import RunError
from toolkit.report.history import HISTORY, read_history
from toolkit.training.checkpoint import Epoch, TrainingProgress
from toolkit.training.folders import write_tables


def test_the_report_reads_the_history_that_training_writes(tmp_path):
    epochs = [Epoch(number, 0.5 / number, 0.9, 0.6, math.nan if number == 2 else 0.8, 1.0) for number in (1, 2)]
    write_tables(tmp_path, TrainingProgress(epochs, []))
    first, second = read_history(tmp_path)
    assert first[:4] == (1, 0.5, 0.9, 0.6)
    assert (first.validated, second.validated) == (True, False)


HEAD = "epoch,loss,accuracy,val_loss,val_accuracy\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "history.csv: no such file; 'toolkit train' writes it"),
        (HEAD, "it has no epoch"),
        ("epoch,loss\n1,2\n", "accuracy"),
        (HEAD + "1,x,0,0,0\n", "could not convert string to float: 'x'"),
        (HEAD + "2,1,0,0,0\n", "its epochs are not counted from 1"),
        (HEAD + "9" * 5000 + ",1,0,0,0\n", "its epochs are not counted from 1"),
        (HEAD + "1,nan,0,0,0\n", "it has a loss or an accuracy that is no number"),
        (b"\xff\xfe", "cannot be read as the history of a run"),
    ],
)
def test_a_damaged_history_is_refused_by_its_name(tmp_path, content, says):
    path = tmp_path / HISTORY
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=r"history\.csv: ") as caught:
        read_history(tmp_path)
    assert says in str(caught.value)
