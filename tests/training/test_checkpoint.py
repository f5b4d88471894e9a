"""States of runs that make no sense."""

import json
import math
import warnings
import zipfile
from contextlib import nullcontext

import numpy as np
import pytest

from toolkit.errors import RunError
from toolkit.training import checkpoint


@pytest.mark.parametrize(
    ("progress", "message"),
    [
        ('{"history": [], "gradients": [], "best_epoch": 1, "best_value": NaN}', "its best epoch is 1 of 0"),
        ('{"history": [{"epoch": 1}], "best_epoch": 1, "best_value": 0}', r"\$\.history\[0\]: object missing"),
        ("[" * 100_000, "nested too deeply"),
        ("\xff", "utf-8"),
    ],
)
def test_a_state_whose_progress_makes_no_sense_is_refused(tmp_path, progress, message):
    np.savez(tmp_path / "state.npz", progress=np.frombuffer(progress.encode("latin-1"), np.uint8))
    with pytest.raises(RunError, match=rf"state\.npz: .*{message}"):
        checkpoint.load_progress(tmp_path / "state.npz")


@pytest.mark.parametrize(
    "odd",
    [
        {"epoch": 2},
        {"loss": math.nan},
        {"accuracy": 1e308},
        {"val_accuracy": -0.1},
        {"val_loss": math.inf},
        {"seconds": math.inf},
        {"seconds": 1e308},
        {"seconds": -1},
    ],
)
def test_an_epoch_whose_figures_no_epoch_has_is_refused(tmp_path, odd):
    epoch = {"epoch": 1, "loss": 0.5, "accuracy": 0.9, "val_loss": math.nan, "val_accuracy": math.nan, "seconds": 1.0}
    for history, sense in (({**epoch}, True), ({**epoch, **odd}, False)):
        document = {"history": [history], "gradients": [], "best_epoch": 1, "best_value": 0.5}
        np.savez(tmp_path / "state.npz", progress=np.frombuffer(json.dumps(document).encode(), np.uint8))
        with nullcontext() if sense else pytest.raises(RunError, match=r"state\.npz: .*(figures|counted from 1)"):
            checkpoint.load_progress(tmp_path / "state.npz")


def test_a_zip_file_of_twins_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "state.npz", "w") as archive_file, warnings.catch_warnings(action="ignore"):
        for _ in range(2):
            archive_file.writestr("progress.npy", b"")
    with pytest.raises(RunError, match=r"state\.npz: cannot be read as the state of a run"):
        checkpoint.load_progress(tmp_path / "state.npz")
