"""What the input of a file without a manifest is to be given."""

from pathlib import Path

import pytest

from tests.prediction.test_views import Described
from toolkit.convention import parse
from toolkit.errors import UsageError
from toolkit.manifest import TensorSpec
from toolkit.prediction.inputs import convention_of


def told(given):
    session = Described(Path("a.tflite"))
    session.inputs = (TensorSpec("image", (None, 16, 16, 3), "uint8", scale=0.0076, zero_point=132),)
    return convention_of(session, None, parse(given), pytest.fail)


@pytest.mark.parametrize("given", ["0..255", "255..0", "0.1,0.1,0.1,0.002,0.5,0.5"])
def test_a_range_that_a_quantized_input_cannot_hold_is_refused(given):
    with pytest.raises(UsageError, match=r"a\.tflite: its input holds -1\.003 to 0\.9348, so most of .+ cut off"):
        told(given)


@pytest.mark.parametrize("given", ["-1..1", "0..1", "1..-1", "0.5,0.5,0.5,0.5,0.5,0.5"])
def test_a_range_that_it_holds_for_the_most_part_is_taken(given):
    assert told(given) == parse(given)
