import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties import quick
from toolkit import units

SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
BYTES = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
# Half of the last of three figures.
ROUNDED = 0.005
# Few names, so that files of one name are common.
PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda parts: Path(*parts))


def read(text, unit_of):
    """Return what a text of numbers and units adds up to."""
    return sum(float(number) * unit_of[unit] for number, unit in re.findall(r"(\S+) (\S+)", text))


@quick
@given(st.floats(1e-9, 59.9))
def test_a_duration_below_a_minute_is_exact_to_three_figures(value_s):
    assert read(units.seconds(value_s), SECONDS) == pytest.approx(value_s, rel=ROUNDED)


@quick
@given(st.floats(59.95, 1e7))
def test_a_longer_duration_is_rounded_to_a_second_or_cut_to_a_minute(value_s):
    text = units.seconds(value_s)
    assert -0.5 <= value_s - read(text, SECONDS) <= (60 if "h" in text else 0.5)


@quick
@given(st.integers(0, 10**13))
def test_a_size_is_exact_to_three_figures(value_bytes):
    assert read(units.size(value_bytes), BYTES) == pytest.approx(value_bytes, rel=ROUNDED)


@quick
@given(st.lists(PATHS, max_size=6))
def test_a_short_name_is_the_end_of_its_path_and_of_no_other(paths):
    names = units.short_names(paths)
    assert all(
        path.parts[-len(Path(name).parts) :] == Path(name).parts for path, name in zip(paths, names, strict=True)
    )
    assert len(set(names)) == len(set(paths))
