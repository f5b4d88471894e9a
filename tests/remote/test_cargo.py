"""What is taken to a device, and what is taken from one."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import made_up
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import sha256
from toolkit.remote import cargo
from toolkit.remote.home import Home


def test_a_benchmark_takes_the_artifacts_their_manifests_and_goldens(exported_once):
    taken = cargo.to_bench([exported_once, exported_once / "cnn-int8.onnx"])
    assert len(taken.paths) == 6
    assert {Path(path).parent for path in taken.files} == {Path("models/0")}
    assert taken.files.keys() - set(taken.paths) == {"models/0/manifest.json", "models/0/golden.npz"}
    assert taken.here("models/0/cnn-int8.onnx") == exported_once / "cnn-int8.onnx"
    assert taken.at_home("models/0/x.onnx is bad") == f"{exported_once}/x.onnx is bad"


def test_anybodys_files_are_taken_alone_and_by_their_folders(exported_once, here):
    for name in ("one", "two"):
        (here / name).mkdir()
        shutil.copy(exported_once / "cnn-int8.onnx", here / name / "a.onnx")
    shutil.copy(exported_once / "cnn-int8.onnx", here / "b.onnx")
    taken = cargo.to_bench([Path("two"), Path("one/a.onnx"), Path("b.onnx")])
    assert taken.paths == ["models/0/a.onnx", "models/1/a.onnx", "models/2/b.onnx"]
    assert [str(taken.here(path)) for path in taken.paths] == ["two/a.onnx", "one/a.onnx", "b.onnx"]
    assert taken.at_home("models/2/b.onnx, models/1/a.onnx") == "b.onnx, one/a.onnx"


def test_a_keras_original_is_not_taken(exported_once, here):
    with pytest.raises(UsageError, match=r"cnn\.keras: a Keras original needs TensorFlow, which no device gets"):
        cargo.to_bench([exported_once / "cnn.keras"])
    shutil.copy(exported_once / "cnn.keras", here)
    with pytest.raises(ArtifactError, match="nothing to measure there"):
        cargo.to_bench([here])


def test_verify_takes_what_is_there_and_leaves_it_to_the_device_to_miss_the_rest(exported):
    (exported / "cnn-int8.onnx").unlink()
    taken = cargo.to_verify([exported])
    assert "models/0/cnn-int8.onnx" in taken.paths
    assert "models/0/cnn-int8.onnx" not in taken.files


def test_what_the_system_makes_up_is_not_taken(here):
    """A log of the kernel that is read until the next line of it comes, and a pipe."""
    Path("log.onnx").symlink_to("/proc/kmsg")
    with pytest.raises(ArtifactError, match=r"log\.onnx: an empty file"):
        cargo.to_bench([Path("log.onnx")])
    os.mkfifo("pipe.onnx")
    with pytest.raises(ArtifactError, match=r"pipe\.onnx: a pipe; give a file"):
        cargo.to_bench([Path("pipe.onnx")])


def test_a_manifest_that_points_out_of_its_folder_takes_nothing_from_there(exported):
    document = json.loads((exported / "manifest.json").read_text())
    (exported.parent / "secret").write_bytes(b"")
    document["golden"] = {"path": "../secret", "sha256": sha256(exported.parent / "secret")}
    (exported / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match=r"golden\.path: '\.\./secret' is no plain file name"):
        cargo.to_verify([exported])


@pytest.mark.parametrize("name", ["manifest.json", "golden.npz", "cnn-int8.onnx", "mine.onnx"])
def test_a_link_leads_no_file_to_a_device_but_one_that_the_user_named(exported, name):
    secret = exported.parent / "secret.onnx"
    if name == "mine.onnx":
        shutil.copy(exported / "cnn-int8.onnx", secret)
        for path in exported.iterdir():
            path.unlink()
    else:
        (exported / name).rename(secret)
    (exported / name).symlink_to(secret)
    for take in (cargo.to_bench, *([cargo.to_verify] if name != "mine.onnx" else [])):
        with pytest.raises(ArtifactError, match=rf"{name}.*a symbolic link.*; put (the file itself|there what)"):
            take([exported])
    if name == "mine.onnx":
        assert list(cargo.to_bench([exported / name]).files) == ["models/0/mine.onnx"]


@pytest.mark.parametrize("name", ["../record.json", "/etc/x.npz", "x.py", "a/b.npz", "..", ""])
def test_a_device_cannot_write_what_is_no_part_of_a_record(exported_once, here, name):
    taken = cargo.to_bench([exported_once])
    with Home(here / "benchmarks", taken, None) as home, pytest.raises(ArtifactError, match="which is no part of a"):
        home.take({"name": name, "first": True}, b"")
    assert list(here.iterdir()) == []


def test_a_device_cannot_send_without_end(exported_once, here, monkeypatch):
    """Neither in one round nor in many: what a later one replaces is counted once."""
    monkeypatch.setattr("toolkit.remote.home.MOST_FILES", 3)
    monkeypatch.setattr("toolkit.remote.home.MOST_BYTES", 100)
    taken = cargo.to_bench([exported_once])
    with Home(here / "benchmarks", taken, None) as home:
        for _ in range(5):
            home.take({"name": "record.json", "first": True}, bytes(50))
            home.take({"name": "record.json", "first": False}, bytes(40))
        for name in ("a.npz", "b.npz"):
            home.take({"name": name, "first": True}, bytes(5))
        for name, size in (("c.npz", 0), ("a.npz", 6)):
            with pytest.raises(ArtifactError, match="it sent more than 3 files or 100 bytes of a record"):
                home.take({"name": name, "first": True}, bytes(size))
    assert list(here.iterdir()) == []


def sent(folder, **facts):
    """A record as a device may send it, of one result."""
    folder.mkdir()
    found = made_up.record()
    found.folder, found.results = folder, [made_up.result(1e-4, **facts)]
    found.results[0].write_samples(folder)
    found.save()
    return found


def arrive(home, folder):
    for path in folder.iterdir():
        home.take({"name": path.name, "first": True}, path.read_bytes())
    home.keep()


def test_a_record_of_what_was_not_asked_for_is_not_kept(exported_once, here, tmp_path):
    sent(tmp_path / "sent", path="/etc/passwd")
    with (
        Home(here / "benchmarks", cargo.to_bench([exported_once]), None) as home,
        pytest.raises(ArtifactError, match="it speaks of 'passwd', which was not asked for"),
    ):
        arrive(home, tmp_path / "sent")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("climbs", [False, True])
def test_a_record_from_a_device_opens_no_file_of_this_machine(exported_once, here, tmp_path, climbs):
    """Its samples are there, and would be read, were they not outside of what it sent."""
    record = sent(tmp_path / "sent", path="models/0/cnn-int8.onnx")
    own = tmp_path / "own.npz"
    (record.folder / "s.npz").rename(own)
    name = f"{'../' * 20}{str(own).lstrip('/')}" if climbs else str(own)
    record.results = [replace(record.results[0], samples=name)]
    record.save()
    with (
        Home(here / "benchmarks", cargo.to_bench([exported_once]), None) as home,
        pytest.raises(ArtifactError, match=r"samples: '.*own\.npz' is no plain file name"),
    ):
        arrive(home, record.folder)
    assert list(here.iterdir()) == []
