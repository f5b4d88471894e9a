import os
import signal
import subprocess
import sys

import pytest

from toolkit import files
from toolkit.errors import UsageError


def test_an_error_leaves_the_old_file_and_no_leftover(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")

    def fail() -> None:
        with files.atomic(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_may_be_as_long_as_the_file_system_has_it(tmp_path):
    longest = tmp_path / f"{'ä' * 125}x.zip"
    files.write_text(longest, "new")
    assert list(tmp_path.iterdir()) == [longest]
    with pytest.raises(OSError, match="File name too long") as caught:
        files.write_text(tmp_path / f"x.{'z' * 250}", "new")
    assert caught.value.filename == str(tmp_path / f"x.{'z' * 250}")


@pytest.mark.parametrize("occupy", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_replaced(tmp_path, occupy):
    occupy(tmp_path / "taken")
    before = (tmp_path / "taken").stat()
    with pytest.raises(UsageError, match="taken: a folder, device or pipe; give the name of a file to write"):
        files.write_text(tmp_path / "taken", "new")
    assert (tmp_path / "taken").stat() == before


def test_the_temporary_keeps_the_suffix(tmp_path):
    with files.atomic(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        temporary.write_bytes(b"new")
    assert (tmp_path / "model.keras").read_bytes() == b"new"


def test_a_kill_in_mid_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")
    script = f"""
import time
from pathlib import Path
from toolkit.files import atomic
with atomic(Path({str(path)!r})) as temporary:
    temporary.write_bytes(b"half of the new file")
    print("writing", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    files.remove_partials(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "manifest.json"
    files.write_json(path, {"a": 1})

    def fill() -> None:
        with files.atomic(path) as temporary:
            temporary.unlink()
            temporary.symlink_to("/dev/full")
            temporary.write_bytes(b"x" * 100_000)

    with pytest.raises(OSError, match="space") as caught:
        fill()
    assert caught.value.filename == str(path)
    assert path.read_text() == '{\n  "a": 1\n}\n'


def test_json_is_written_whole_under_concurrent_reading(tmp_path):
    path = tmp_path / "record.json"
    files.write_json(path, {"rows": []})
    script = f"""
from pathlib import Path
from toolkit.files import write_json
while True:
    write_json(Path({str(path)!r}), {{"rows": list(range(2000))}})
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    written_ns = set()
    try:
        while len(written_ns) < 50:
            assert process.poll() is None
            assert path.read_text().endswith("}\n")
            written_ns.add(path.stat().st_mtime_ns)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def test_an_error_of_a_scratch_folder_names_the_final_file(tmp_path):
    def fail(error) -> None:
        with files.naming_final(tmp_path / "scratch", tmp_path / "exported"):
            raise error

    for said, named in (("scratch/golden.npz", "exported/golden.npz"), ("elsewhere", "elsewhere")):
        with pytest.raises(OSError, match="full") as caught:
            fail(OSError(28, "full", str(tmp_path / said)))
        assert caught.value.filename == str(tmp_path / named)
    with pytest.raises(OSError, match="full") as caught:
        fail(OSError(28, "full"))
    assert caught.value.filename is None


def test_a_full_disk_of_which_numpy_tells_a_count_alone_is_told_in_words(tmp_path):
    with pytest.raises(OSError, match="requested") as caught, files.naming(tmp_path / "values.npy"):
        raise OSError("800 requested and 128 written")
    assert caught.value.filename == str(tmp_path / "values.npy")
    assert caught.value.strerror == "cannot be written (800 requested and 128 written); is the disk full?"
