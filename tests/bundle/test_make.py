"""Bundles of the tiny CNN: what they hold, and that numpy and the runtime are enough to run them."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bundle.made import artifact, bundle_of, unpacked
from toolkit import golden, manifest
from toolkit.bundle.make import make
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.parity.verify import VerifyOptions, verify

# Runs a script and says which packages, not of Python itself, it has loaded.
PROBE = """
import runpy, sys
before = set(sys.modules)
script, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_path(script, run_name="__main__")
finally:
    loaded = {name for name, module in sys.modules.items() if getattr(module, "__file__", None)} - before
    print(*{name.partition(".")[0] for name in loaded} - sys.stdlib_module_names, file=sys.stderr)
"""


def test_a_bundle_holds_one_artifact_and_what_goes_with_it(bundle, exported_once, tmp_path):
    folder = unpacked(bundle, tmp_path)
    wheel = "edge_model_toolkit-0.1.0-py3-none-any.whl"
    names = {"SHA256SUMS", "classify.py", "cnn-int8.tflite", wheel, "golden.npz", "manifest.json"}
    assert {path.name for path in folder.iterdir()} == names
    for name in ("cnn-int8.tflite", "golden.npz"):
        assert sha256(folder / name) == sha256(exported_once / name)
    found = manifest.read(folder)
    assert [entry.path for entry in found.artifacts] == ["cnn-int8.tflite"]
    assert found.golden == manifest.read(exported_once).golden


def test_an_unpacked_bundle_is_verified_by_golden(bundle, tmp_path):
    found = manifest.read(unpacked(bundle, tmp_path))
    result = verify(found, found.artifacts, VerifyOptions(by_golden=True), warn=pytest.fail)
    assert [comparison.verdict for comparison in result.comparisons] == ["pass"]


def test_a_runtime_that_no_program_classifies_with_is_named_with_its_artifact(exported_once, tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.runtimes.for_file", lambda path: "tflm")
    with pytest.raises(ArtifactError, match=r"cnn-int8\.tflite: runs on 'tflm', .*; allowed: .* on litert, onnxrun"):
        bundle_of(exported_once, "cnn-int8.tflite", tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_file_that_an_export_replaces_meanwhile_is_not_bundled(exported_once, tmp_path, monkeypatch):
    real = shutil.copyfile
    monkeypatch.setattr("shutil.copyfile", lambda old, new: real(old.with_name("golden.npz"), new))
    with pytest.raises(ArtifactError, match=r"cnn-int8\.tflite: was replaced while it was bundled; bundle it again"):
        bundle_of(exported_once, "cnn-int8.tflite", tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_the_digests_of_a_bundle_are_read_by_sha256sum(bundle, tmp_path):
    folder = unpacked(bundle, tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)


def test_two_bundles_of_the_same_are_equal_byte_for_byte(bundle, exported, tmp_path):
    for number, path in enumerate(sorted(exported.iterdir(), reverse=True)):
        os.utime(path, (number, number))
        path.chmod(0o600)
    again = bundle_of(exported, "cnn-int8.tflite", tmp_path / "elsewhere" / "other-name.zip")
    assert again.path.read_bytes() == bundle.path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("cnn-int8.tflite", {"ai_edge_litert", "numpy"}),
        ("cnn-float32.tflite", {"ai_edge_litert", "numpy"}),
        ("cnn-int8.onnx", {"numpy", "onnxruntime"}),
    ],
)
def test_the_script_of_a_bundle_needs_numpy_and_the_runtime_alone(exported_once, tmp_path, name, packages):
    made = bundle_of(exported_once, name, tmp_path / "b.zip")
    folder = unpacked(made, tmp_path)
    probe = (sys.executable, "-I", "-c", PROBE, folder / "classify.py")
    done = subprocess.run(probe, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{name}: 90 of 90 predictions are those of the machine that exported it\n"
    assert set(done.stderr.splitlines()[-1].split()) == packages
    record = golden.read(folder / "golden.npz")
    np.save(tmp_path / "images.npy", record.images[:3])
    done = subprocess.run([*probe, tmp_path / "images.npy"], capture_output=True, text=True, check=True)
    expected = [f"{row.argmax()} {row.max():.4f}" for row in record.recorded[name][:3]]
    assert done.stdout.splitlines() == expected


@pytest.mark.slow
def test_the_script_of_a_bundle_says_no_to_other_answers_and_other_images(bundle, tmp_path):
    folder = unpacked(bundle, tmp_path)
    record = golden.read(folder / "golden.npz")
    turned = {name: np.roll(outputs, 1, axis=1) for name, outputs in record.recorded.items()}
    replace(record, recorded=turned).write(folder / "golden.npz")
    run = (sys.executable, "-I", folder / "classify.py")
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, "0 of 90 predictions" in done.stdout) == (1, True)
    np.save(tmp_path / "grey.npy", np.zeros((2, 9, 9), np.float32))
    done = subprocess.run([*run, tmp_path / "grey.npy"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "float32 (2, 9, 9); allowed: uint8 (N, *(8, 8, 1))" in done.stderr.splitlines()[-1]
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    done = subprocess.run([*run, "photo.png"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "photo.png: allowed: images in an array, a .npy file\n")


def test_what_is_not_the_exported_file_is_not_bundled(exported, tmp_path):
    found, chosen = artifact(exported, "cnn-int8.tflite")
    (exported / "cnn-int8.tflite").write_bytes(b"other")
    with pytest.raises(ArtifactError, match="changed since it was exported"):
        make(found, chosen, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_bundle_is_one_file_here_named_after_its_artifact(exported, here):
    made = make(*artifact(exported, "cnn-int8.onnx"))
    assert made.path == Path("cnn-int8-onnx.zip")
    assert [path.name for path in here.iterdir()] == ["cnn-int8-onnx.zip"]
