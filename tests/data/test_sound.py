"""WAV files become log-mel spectrograms: the same sound of any width is the same picture."""

import inspect
import wave
from typing import Any

import numpy as np
import pytest

from toolkit import data
from toolkit.bundle.rows.sound import read as read_on_the_edge
from toolkit.data import sound
from toolkit.data.base.sound import log_mel, signal_of
from toolkit.errors import DataError
from toolkit.reading import Reading, Spectrogram

RATE = 8000
HOW = Spectrogram(rate=RATE, frame=200, hop=80, mels=40)


def tone(hertz, *, seconds=0.5, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def save(path, signal, *, width=2, rate=RATE):
    """signal: (samples,) or (samples, channels) from -1 to 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.clip(np.round(np.asarray(signal) * 2**31), -(2**31), 2**31 - 1).astype("<i4")
    content = np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, 4 - width :]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if whole.ndim == 1 else whole.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes((content ^ (128 if width == 1 else 0)).tobytes())
    return path


def save_classes(folder, *, per_class=10, **options):
    for name, hertz in (("high", 2000), ("low", 300)):
        for number in range(per_class):
            save(folder / name / f"{number}.wav", tone(hertz + 3 * number), **options)
    return folder


def load(folder, *, said=None, **reading):
    return data.load(str(folder), warn=pytest.fail if said is None else said.append, reading=Reading(**reading))


def test_a_folder_of_sounds_is_a_set_of_spectrograms(tmp_path):
    found = load(save_classes(tmp_path / "tones"))
    assert (found.counts, found.class_names) == ("16 + 4", ("high", "low"))
    assert found.rows_are == "rows of 48×40×1 values"
    assert (found.reading.window, found.reading.spectrogram) == (4000, HOW)


@pytest.mark.parametrize(("width", "error"), [(1, 2**-7), (2, 2**-15), (3, 2**-23), (4, 2**-30)])
def test_every_width_is_read_as_the_same_signal(tmp_path, width, error):
    path = save(tmp_path / "a.wav", tone(440), width=width)
    np.testing.assert_allclose(signal_of(path, rate=RATE, length=4000), tone(440), atol=error)


def test_channels_are_mixed_and_lengths_are_cut_or_filled(tmp_path):
    left, right = tone(300), tone(900)
    path = save(tmp_path / "a.wav", np.stack([left, right], axis=1))
    signal = signal_of(path, rate=RATE, length=5000)
    np.testing.assert_allclose(signal[:4000], (left + right) / 2, atol=2**-15)
    assert not signal[4000:].any()
    np.testing.assert_array_equal(signal_of(path, rate=RATE, length=100), signal[:100])


def test_a_tone_is_loudest_in_its_band():
    """The bands lie at equal distances in mel = 2595 log10(1 + Hz / 700)."""
    mel = 2595 * np.log10(1 + np.array([300, 1000, 2500]) / 700)
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    expected = np.round(mel / highest * (HOW.mels + 1)) - 1
    loudest = [
        log_mel(tone(hertz), rate=RATE, frame=200, hop=80, mels=40).mean(axis=(0, 2)).argmax()
        for hertz in (300, 1000, 2500)
    ]
    np.testing.assert_allclose(loudest, expected, atol=1)


def test_silence_is_a_floor_and_ten_times_the_signal_is_twenty_decibels():
    picture = log_mel(np.zeros(4000), rate=RATE, frame=200, hop=80, mels=40)
    np.testing.assert_allclose(picture, np.log(1e-6), rtol=1e-6)
    quiet, loud = (log_mel(part * tone(500), rate=RATE, frame=200, hop=80, mels=40).max() for part in (0.1, 1))
    assert loud - quiet == pytest.approx(np.log(100), rel=1e-3)


def test_the_functions_that_read_sound_need_numpy_alone():
    """They are copied into the program of a bundle."""
    functions = "\n".join(map(inspect.getsource, (signal_of, log_mel)))
    names: dict[str, Any] = {}
    exec(f"import numpy as np\nfrom pathlib import Path\n{functions}", names)
    signal = tone(700) + tone(1900)
    how = {"rate": RATE, "frame": 200, "hop": 80, "mels": 40}
    np.testing.assert_allclose(names["log_mel"](signal, **how), log_mel(signal, **how), atol=1e-6)


def test_lengths_that_differ_are_said(tmp_path):
    folder, said = save_classes(tmp_path / "tones"), []
    save(folder / "low" / "long.wav", tone(300, seconds=0.8))
    assert load(folder, said=said).reading.window == 6400
    assert said == [
        f"{folder}: sounds become 6,400 samples long (0.80 s): of 21, 0 are cut off and 20 filled up with silence; "
        "--window SAMPLES says otherwise"
    ]
    assert load(folder, window=2000).rows_are == "rows of 23×40×1 values"
    with pytest.raises(DataError, match="--window 100 is less than a frame of 200 samples"):
        load(folder, window=100)


def test_sounds_of_two_rates_are_refused_with_the_odd_ones(tmp_path):
    folder = save_classes(tmp_path / "tones")
    save(folder / "low" / "odd.wav", tone(300), rate=16000)
    with pytest.raises(DataError, match=r"most sounds have 8,000 samples a second, 1 have others \(low/odd\.wav"):
        load(folder)
    with pytest.raises(DataError, match=r"odd\.wav: cannot be read as a sound: 16,000 samples a second"):
        sound.rows_of(folder / "low" / "odd.wav", Reading(window=4000, spectrogram=HOW))


def test_files_that_are_no_sound_are_refused(tmp_path):
    folder = save_classes(tmp_path / "tones")
    for content in (b"RIFF\x04\0\0\0WAVE", b"RIFF", b"ID3\x03" + bytes(40)):
        (folder / "low" / "0.wav").write_bytes(content)
        with pytest.raises(DataError, match=r"0\.wav: cannot be read as a sound of PCM: .+; convert it: ffmpeg -i IN"):
            load(folder)


def test_a_header_that_claims_more_than_its_file_is_refused(tmp_path):
    path = save(tmp_path / "tones" / "low" / "0.wav", tone(300))
    content = bytearray(path.read_bytes())
    content[40:44] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"0\.wav: cannot be read as a sound of PCM: its header claims 2,147,483,648.*; convert it"
    ):
        sound.rows_of(path, Reading(window=4000, spectrogram=HOW))


def test_a_sound_to_ask_about_is_the_row_that_it_was_in_training(tmp_path):
    folder = save_classes(tmp_path / "tones")
    found = load(folder)
    names, rows, notes = sound.rows_of(folder / "low" / "3.wav", found.reading)
    assert (names, rows.shape, notes) == ([str(folder / "low" / "3.wav")], (1, 48, 40, 1), ())
    assert any(np.array_equal(rows[0], row) for row in np.concatenate([found.train.images, found.test.images]))
    with pytest.raises(DataError, match="nothing says how sounds become spectrograms"):
        sound.rows_of(folder / "low" / "3.wav", Reading())


def test_that_a_sound_is_cut_off_is_said_when_a_model_is_asked_about_it(tmp_path, capsys):
    path, how = save(tmp_path / "long.wav", tone(300, seconds=2)), Reading(window=4000, spectrogram=HOW)
    _, rows, notes = sound.rows_of(path, how)
    assert notes == (f"{path}: lasts 2.00 s; the answer is about its first 0.50 s alone",)
    np.testing.assert_array_equal(read_on_the_edge(path, how.to_json()), rows)
    assert capsys.readouterr().err == f"{path}: the answer is about its first 0.50 s alone\n"


def test_a_model_that_asks_for_more_frames_than_the_memory_holds_is_refused_before_they_are_made(tmp_path):
    """A manifest says how sounds are read, and may be anybody's."""
    path = save(tmp_path / "x.wav", tone(300))
    greedy = Reading(window=1_000_000, spectrogram=Spectrogram(rate=RATE, frame=8000, hop=1, mels=1))
    with pytest.raises(DataError, match=r"x.wav: its spectrogram needs 317,\d{3},\d{3},\d{3} bytes of memory"):
        sound.rows_of(path, greedy)
