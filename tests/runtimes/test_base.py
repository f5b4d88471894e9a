"""What all runtimes share."""

from pathlib import Path

import numpy as np
import pytest

from toolkit.convention import Convention
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.parity.checks import require_classes
from toolkit.runtimes.base import Session, as_artifact_error


class Lone(Session):
    """Answers any number of images with one number."""

    path = Path("lone.onnx")
    inputs = (TensorSpec("image", (None, 2, 2, 1), "float32"),)
    outputs = (TensorSpec("score", (), "float32"),)
    convention = Convention()

    def resize(self, batch):
        assert batch == 3

    def set_inputs(self, values):
        assert values[0].shape == (3, 2, 2, 1)

    def invoke(self):
        pass

    def read_outputs(self):
        return [np.float32(0.5)]


def test_a_model_that_answers_with_one_number_is_told_what_a_classifier_answers():
    outputs = Lone().predict(np.zeros((3, 2, 2, 1), np.uint8))
    with pytest.raises(ArtifactError, match=r"lone\.onnx: its output is \(1,\); a classifier's is \(batch, classes\)"):
        require_classes(outputs, path=Lone.path)


def test_what_a_runtime_says_of_whole_arrays_is_cut_off(tmp_path):
    with pytest.raises(ArtifactError) as caught, as_artifact_error(tmp_path, "Keras cannot run it"):
        raise ValueError(f"wrong: {np.arange(1000).tolist()}")
    assert str(caught.value).endswith(" …")
    assert len(str(caught.value)) < 700
