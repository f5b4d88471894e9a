"""Recordings of sensors: cut into windows, and never one recording in two parts."""

import numpy as np
import pytest

from toolkit import data, host
from toolkit.data import recordings
from toolkit.data.base import parts
from toolkit.errors import DataError
from toolkit.reading import Clock, Reading


def save(path, rows, *, number=0, header="timestamp,ax,ay", step=20):
    """A recording whose values tell which it is: ax the number of the row, ay that of the recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{row * step},{row},{number}" for row in range(rows)]
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def save_classes(folder, *, per_class=10, rows=25):
    number = 0
    for name in ("rest", "walk"):
        for _ in range(per_class):
            number += 1
            save(folder / name / f"{number}.csv", rows, number=number)
    return folder


def load(folder, *, said=None, **reading):
    return data.load(str(folder), warn=pytest.fail if said is None else said.append, reading=Reading(**reading))


def test_windows_follow_each_other_and_the_rest_is_left_out(tmp_path):
    said = []
    found = load(save_classes(tmp_path / "moves"), said=said, window=10)
    assert found.counts == "32 + 8"
    assert found.rows_are == "rows of 10×2 values"
    assert (found.reading.window, found.reading.stride, found.reading.columns) == (10, 10, ("ax", "ay"))
    np.testing.assert_array_equal(np.unique(found.train.images[:, 0, 0]), [0, 10])
    assert said[:1] == [f"{tmp_path / 'moves'}: the column timestamp says when and was left out"]


def test_windows_of_one_recording_are_in_one_part(tmp_path):
    found = load(save_classes(tmp_path / "moves"), said=[], window=10, stride=1)
    divided = parts.divide(found, share=0.25, seed=0)
    training, validation = (set(found.train.images[rows, 0, 1]) for rows in (divided.training, divided.validation))
    test = set(found.test.images[:, 0, 1])
    assert training | validation | test == set(range(1, 21))
    assert not training & validation
    assert not (training | validation) & test
    assert len(found.train) == 16 * 16
    assert divided.how == parts.TOGETHER


def test_recordings_of_one_length_are_windows_themselves(tmp_path):
    found = load(save_classes(tmp_path / "moves"), said=[])
    assert found.rows_are == "rows of 25×2 values"


def test_without_a_window_recordings_must_be_of_one_length(tmp_path):
    save_classes(tmp_path / "moves")
    save(tmp_path / "moves" / "rest" / "long.csv", 1200)
    with pytest.raises(DataError, match=r"moves: recordings have 25 to 1,200 rows; --window N says how many"):
        load(tmp_path / "moves", said=[])


def test_recordings_shorter_than_a_window_are_left_out_and_named(tmp_path):
    said = []
    save(save_classes(tmp_path / "moves") / "rest" / "short.csv", 9)
    found = load(tmp_path / "moves", said=said, window=10)
    assert found.counts in ("32 + 8", "30 + 8", "32 + 6")
    short = f"{tmp_path / 'moves'}: recordings shorter than a window of 10 rows were left out (1): rest/short.csv"
    assert short in said
    with pytest.raises(DataError, match=r"moves: no recording has the 30 rows of a window"):
        load(tmp_path / "moves", said=[], window=30)


def test_recordings_must_have_the_same_columns(tmp_path):
    save_classes(tmp_path / "moves")
    save(tmp_path / "moves" / "walk" / "other.csv", 25, header="timestamp,ax,gx")
    with pytest.raises(DataError, match=r"\.csv: has no column '[ag][yx]'; it has 'timestamp', "):
        load(tmp_path / "moves", said=[])
    for name in ("a/1", "a/2", "b/1", "b/2"):
        save(tmp_path / "times" / f"{name}.csv", 5, header="time,t,Timestamp (ms),Time [s]")
    with pytest.raises(DataError, match=r"\.csv: has no columns but the time"):
        load(tmp_path / "times", said=[])


def test_folders_of_parts_are_parts_of_recordings_too(tmp_path):
    for part, count in (("train", 6), ("test", 2)):
        save_classes(tmp_path / "moves" / part, per_class=count)
    assert load(tmp_path / "moves", said=[], window=5).counts == "60 + 20"


def test_a_recording_to_ask_about_is_cut_in_the_same_way(tmp_path):
    path = save(tmp_path / "asked.csv", 25)
    names, rows, notes = recordings.rows_of(path, Reading(window=10, stride=5, columns=("ay", "ax")))
    assert names == [f"{path}:2-11", f"{path}:7-16", f"{path}:12-21", f"{path}:17-26"]
    assert (rows.shape, notes) == ((4, 10, 2), ())
    np.testing.assert_array_equal(rows[1, :, 1], np.arange(5, 15))
    with pytest.raises(DataError, match=r"asked\.csv: has 25 rows; a window of this model has 26"):
        recordings.rows_of(path, Reading(window=26, stride=5, columns=("ax",)))


def test_a_model_that_asks_for_more_windows_than_the_memory_holds_is_refused_before_they_are_made(
    tmp_path, monkeypatch
):
    """A manifest says how recordings are cut, and may be anybody's."""
    path = save(tmp_path / "x.csv", 2000)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 4_000_000)  # which hold the table
    with pytest.raises(DataError, match=r"x.csv: its 1,001 windows needs 4,004,000 bytes of memory"):
        recordings.rows_of(path, Reading(window=1000, stride=1, columns=("ax",)))


@pytest.mark.parametrize("sizes", [{"window": 0}, {"window": -1}, {"window": 5, "stride": 0}])
def test_sizes_of_nothing_are_refused(sizes):
    with pytest.raises(Exception, match=r"the (window|stride) is (0|-1); allowed: 1 to"):
        Reading(**sizes)


def test_recordings_of_another_sampling_rate_are_named(tmp_path):
    folder, said = save_classes(tmp_path / "moves"), []
    save(folder / "rest" / "fast.csv", 25, step=10)
    save(folder / "rest" / "jitters.csv", 25, step=21)
    found = load(folder, said=said)
    assert found.reading.clock == Clock(column="timestamp", step=20.0)
    other = "timestamp does not grow by 20 there (rest/fast.csv: 10)"
    assert said[1:2] == [
        f"{folder}: another sampling rate in 1 of 22 recordings: from row to row, {other}; bring all to one rate"
    ]


def test_recordings_are_compared_with_the_sampling_rate_that_a_model_was_trained_with(tmp_path):
    said = []
    how = Reading(window=10, stride=10, columns=("ax", "ay"), clock=Clock(column="timestamp", step=40.0))
    folder = save_classes(tmp_path / "moves")
    data.load(str(folder), warn=said.append, reading=how)
    assert said[0].startswith(
        f"{folder}: another sampling rate in 20 of 20 recordings: from row to row, timestamp does"
    )
    _, _, notes = recordings.rows_of(folder / "rest" / "1.csv", how)
    assert notes == (
        f"{folder / 'rest' / '1.csv'}: has another sampling rate than the model: its timestamp grows by 20 from row to "
        "row, by 40 in training; bring it to that rate",
    )
    assert not recordings.rows_of(save(tmp_path / "same.csv", 25, step=41), how).notes
    assert not recordings.rows_of(save(tmp_path / "none.csv", 25, header="n,ax,ay"), how).notes


@pytest.mark.parametrize(
    "times", [["2026-01-01"] * 4, ["1", "1", "2", "2"], ["4", "3", "2", "1"], ["1", "2", "3", "inf"]]
)
def test_times_that_tell_no_sampling_rate_are_not_compared(tmp_path, times):
    for name in ("a/1", "a/2", "b/1", "b/2"):
        path = tmp_path / "moves" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["ax,Time (s)", *(f"{row % 2},{time}" for row, time in enumerate(times))]))
    assert load(tmp_path / "moves", said=[]).reading.clock is None
