"""What a file can do to the verbs and readers: one line, or nothing. The inputs are those that once did more."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fuzz import changes, made
from tests.fuzz.changes import change
from toolkit import archive, extras, host, manifest, runs, runtimes
from toolkit.bench import record as benchmark
from toolkit.bundle.check import check
from toolkit.bundle.make import make
from toolkit.cli import call
from toolkit.errors import ArtifactError, ToolkitError
from toolkit.files import memory, sha256
from toolkit.parity import card
from toolkit.parity import record as parity
from toolkit.search import search
from toolkit.study import study
from toolkit.training.folders import recipe_of
from toolkit.worker import process


def read_folder(folder):
    card.render(manifest.read(folder))


def read_parity(folder):
    parity.recompute(folder / "parity.json")


def read_benchmark(folder):
    benchmark.read(folder).to_json()


def read_run(folder):
    recipe_of(runs.read_config(folder), folder)


DOCUMENTS = {
    "manifest.json": (made.artifacts, read_folder),
    "parity.json": (made.artifacts, read_parity),
    "record.json": (made.benchmark, read_benchmark),
    "config.json": (made.run, read_run),
    "study.json": (made.study, study.read),
    "search.json": (made.search, search.read),
    "trial-001/candidate.json": (made.search, search.read),
    "proof.json": (made.search, search.read),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_field_of_another_kind_or_missing_is_no_surprise(shipped, name):
    """Whatever a field holds, a reader gives what it read, or an error that names the file."""
    save, read = DOCUMENTS[name]
    save(shipped)
    path = shipped / name
    read(shipped)
    document = json.loads(path.read_text())
    refused = 0
    for number, at in enumerate(changes.fields(document)):
        odd = changes.ODD[number % len(changes.ODD)]
        path.write_text(json.dumps(changes.replaced(document, at, odd, gone=number % 7 == 0)))
        try:
            read(shipped)
        except ToolkitError as error:
            assert str(shipped) in str(error), at  # noqa: PT017 — there need be none
            refused += 1
    assert refused > 3


@pytest.mark.parametrize(
    "at",
    [
        ("golden", "path"),
        ("reference", "path"),
        ("artifacts", 0, "path"),
        ("data", "rows", "path"),
        ("source", "file"),
        ("source", "run"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["/etc/passwd", "../mlp.keras", "/proc/kmsg", ".."])
def test_a_manifest_names_no_file_elsewhere(shipped, at, name):
    change(shipped / "manifest.json", ("data", "rows"), {"path": "rows.npy", "sha256": "0", "n": 1})
    change(shipped / "manifest.json", at, name)
    field = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at)
    with pytest.raises(ArtifactError) as caught:
        manifest.read(shipped)
    assert f"manifest.json: not a manifest that toolkit reads: {field}: '{name}' is no plain file name" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "command", [("verify", "--golden"), ("bench",), pytest.param(("doctor",), marks=pytest.mark.slow)], ids=" ".join
)
def test_a_symbolic_link_that_a_manifest_names_is_not_followed(shipped, tmp_path, capsys, monkeypatch, command):
    monkeypatch.setattr("toolkit.doctor.report.parts", lambda: ("numpy", "litert"))  # no TensorFlow, which takes long
    (shipped / "golden.npz").rename(tmp_path / "own.npz")
    (shipped / "golden.npz").symlink_to(tmp_path / "own.npz")
    assert call([*command, str(shipped)]) != 0
    assert "'golden.npz', which is a symbolic link; put the file itself there" in "".join(capsys.readouterr())


def test_a_manifest_that_is_a_symbolic_link_is_not_read(shipped, tmp_path):
    (shipped / "manifest.json").rename(tmp_path / "manifest.json")
    (shipped / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(ArtifactError, match=r"manifest\.json: a symbolic link; put there what it leads to$"):
        manifest.read(shipped)


def test_a_link_to_a_folder_that_the_user_named_is_followed(shipped, tmp_path):
    (tmp_path / "link").symlink_to(shipped)
    assert manifest.read(tmp_path / "link").model == "mlp"


def test_a_bundle_whose_manifest_names_a_file_of_the_system_fails_and_reads_none(shipped, tmp_path, monkeypatch):
    found = manifest.read(shipped)
    listed = next(artifact for artifact in found.artifacts if (shipped / artifact.path).is_file())
    bundle = make(found, listed, tmp_path / "b.zip")
    with zipfile.ZipFile(bundle.path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    top = bundle.name
    document = json.loads(files[f"{top}/manifest.json"])
    document["golden"] |= {"path": "/etc/passwd", "sha256": sha256(Path("/etc/passwd"))}
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    files[f"{top}/manifest.json"] = (tmp_path / "manifest.json").read_bytes()
    (tmp_path / "sums").write_bytes(files[f"{top}/manifest.json"])
    sums = files[f"{top}/SHA256SUMS"].decode()
    files[f"{top}/SHA256SUMS"] = sums.replace(bundle.digests["manifest.json"], sha256(tmp_path / "sums")).encode()
    archive.pack(bundle.path, files)
    (problem,) = check(bundle.path).problems
    assert "$.golden.path: '/etc/passwd' is no plain file name" in problem


@pytest.mark.parametrize("name", ["mlp-int8.tflite", "mlp-int8.onnx"])
def test_an_input_that_memory_cannot_hold_is_refused_before_it_is_taken(shipped, monkeypatch, name):
    runtimes.open_session(shipped / name)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 100)
    monkeypatch.setattr(memory, "SMALL_BYTES", 0)
    with pytest.raises(ArtifactError, match=rf"{name}: its input .* needs [\d,]+ bytes of memory; 100 are free"):
        runtimes.open_session(shipped / name)


CANVAS = (1, 7 * 2**20, 2**22, 1)  # 28 TiB in int8


@pytest.mark.parametrize(
    ("shape", "signature", "claims"),
    [
        (CANVAS, None, "30,786,325,577,728"),
        pytest.param((1, 28, 28, 1), (-1, *CANVAS[1:]), "30,786,325,577,728", marks=pytest.mark.slow),
        pytest.param((2**31 - 1, 28, 28, 1), None, "1,683,627,179,248", marks=pytest.mark.slow),
    ],
    ids=["as it is", "resized", "rows"],
)
def test_a_canvas_of_terabytes_is_one_line_of_every_verb(
    shipped, tmp_path, monkeypatch, capsys, shape, signature, claims
):
    """In a worker that would be ended if it took a gigabyte."""
    monkeypatch.setenv(process.MEMORY_VARIABLE, "1e9")
    path = shipped / "mlp-int8.tflite"
    file_format = extras.load("ai_edge_litert.tools.flatbuffer_utils")
    model = file_format.convert_bytearray_to_object(bytearray(path.read_bytes()))
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shape, tensor.shapeSignature = shape, signature
    path.write_bytes(bytes(file_format.convert_object_to_bytearray(model)))
    number = next(n for n, a in enumerate(manifest.read(shipped).artifacts) if a.path == path.name)
    change(shipped / "manifest.json", ("artifacts", number, "sha256"), sha256(path))
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(tmp_path / "x.png")
    said = rf"mlp-int8\.tflite: its input \S+ \(.*\) needs {claims} bytes of memory; [\d,]+ are free"
    for arguments, code in (
        (["predict", tmp_path / "x.png", "--model", path], 2),
        (["bench", path], 2),
        (["verify", "--golden", path], 1),
    ):
        assert call(list(map(str, arguments))) == code
        out, err = capsys.readouterr()
        (line,) = (line for line in (out + err).splitlines() if "needs" in line)
        assert re.search(said, line), arguments


def test_a_manifest_that_names_fewer_classes_than_the_model_tells_apart_is_refused(shipped, tmp_path, capsys):
    change(shipped / "manifest.json", ("data", "classes"), ["one"])
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(tmp_path / "x.png")
    assert call(["predict", str(tmp_path / "x.png"), "--model", str(shipped / "mlp-int8.tflite")]) == 2
    assert "tells 10 classes apart, 1 are named" in capsys.readouterr().err


def test_an_unknown_file_given_to_export_is_called_what_it_is(tmp_path, capsys):
    (tmp_path / "model.pt").write_bytes(b"x")
    assert call(["export", str(tmp_path / "model.pt")]) == 2
    assert "model.pt: neither a run nor an export; allowed: a run, by name or folder, " in capsys.readouterr().err
