"""What is said of a model's input, before any of it is tried."""

from types import SimpleNamespace

import pytest

from toolkit.convention import STANDARD, Convention, Layout
from toolkit.parity.inputs import said_of


@pytest.mark.parametrize("given", [None, STANDARD[2]])
def test_what_is_said_of_a_model_with_channels_first_keeps_them_first(tmp_path, given):
    layout = Convention(layout=Layout.NCHW)
    session = SimpleNamespace(path=tmp_path / "model.onnx", declared=STANDARD[1], convention=layout)
    said = said_of(session, given)
    assert (str(said), said.layout) == (str(given or STANDARD[1]), Layout.NCHW)


def test_a_model_that_says_nothing_of_its_input_has_no_known_range(tmp_path):
    session = SimpleNamespace(path=tmp_path / "model.onnx", declared=None, convention=Convention())
    assert said_of(session, None) is None
