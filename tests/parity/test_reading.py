"""Rows of a parity record that make no sense."""

import numpy as np
import pytest

from tests.fuzz.changes import change
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.parity.record import recompute


@pytest.mark.parametrize("column", ["prediction", "kl"])
def test_rows_of_a_parity_record_that_make_no_sense_are_refused(shipped, column):
    with np.load(shipped / "parity.npz") as arrays:
        tables = dict(arrays)
    name = next(name for name in tables if name != "reference")
    tables[name][column] = 10 if column == "prediction" else np.inf
    np.savez_compressed(shipped / "parity.npz", **tables)
    change(shipped / "parity.json", ("rows", "sha256"), sha256(shipped / "parity.npz"))
    with pytest.raises(ArtifactError, match=rf"parity\.npz: .* has a {column} "):
        recompute(shipped / "parity.json")
