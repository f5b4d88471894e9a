"""What all runtimes share."""

import numpy as np
import pytest

from toolkit.errors import ArtifactError
from toolkit.runtimes.base import as_artifact_error


def test_what_a_runtime_says_of_whole_arrays_is_cut_off(tmp_path):
    with pytest.raises(ArtifactError) as caught, as_artifact_error(tmp_path, "Keras cannot run it"):
        raise ValueError(f"wrong: {np.arange(1000).tolist()}")
    assert str(caught.value).endswith(" …")
    assert len(str(caught.value)) < 700
