"""What a file can do to the verbs and readers: one line, or nothing. The inputs are those that once did more."""

import gzip
import json
import re
import shutil
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fuzz import changes, made
from toolkit import archive, extras, golden, host, manifest, runs, runtimes
from toolkit.bench import record as benchmark
from toolkit.bundle.check import check
from toolkit.bundle.make import make
from toolkit.cli import call
from toolkit.errors import ArtifactError, DataError, RunError, ToolkitError
from toolkit.files import sha256
from toolkit.parity import card
from toolkit.parity import record as parity
from toolkit.runtimes import keras
from toolkit.study import study
from toolkit.training import checkpoint
from toolkit.training.folders import recipe_of
from toolkit.worker import process

SHIPPED = Path(__file__).parents[1] / "exported" / "mlp"
NAMES = ("mlp-int8.tflite", "mlp-int8.onnx", "golden.npz", "manifest.json", "parity.json", "parity.npz", "README.md")


@pytest.fixture
def shipped(tmp_path):
    """A copy of a shipped folder, with two artifacts."""
    folder = tmp_path / "mlp"
    folder.mkdir()
    for name in NAMES:
        shutil.copyfile(SHIPPED / name, folder / name)
    return folder


def change(path, at, value):
    """Replace a field of a JSON file."""
    path.write_text(json.dumps(changes.replaced(json.loads(path.read_text()), at, value)))


def read_folder(folder):
    card.render(manifest.read(folder))


def read_parity(folder):
    parity.recompute(folder / "parity.json")


def read_benchmark(folder):
    benchmark.read(folder).to_json()


def read_run(folder):
    recipe_of(runs.read_config(folder), folder)


DOCUMENTS = {
    "manifest.json": (lambda folder: None, read_folder),
    "parity.json": (lambda folder: None, read_parity),
    "record.json": (made.benchmark, read_benchmark),
    "config.json": (made.run, read_run),
    "study.json": (made.study, study.read),
}


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


def test_a_symbolic_link_that_a_manifest_names_is_not_followed(shipped, tmp_path, capsys):
    (shipped / "golden.npz").rename(tmp_path / "own.npz")
    (shipped / "golden.npz").symlink_to(tmp_path / "own.npz")
    for command in (["verify", "--golden"], ["bench"], ["doctor"]):
        assert call([*command, str(shipped)]) != 0
        assert "'golden.npz', which is a symbolic link; put the file itself there" in "".join(capsys.readouterr())


def test_a_link_to_a_folder_that_the_user_named_is_followed(shipped, tmp_path):
    (tmp_path / "link").symlink_to(shipped)
    assert manifest.read(tmp_path / "link").model == "mlp"


def test_a_bundle_whose_manifest_names_a_file_of_the_system_fails_and_reads_none(shipped, tmp_path, monkeypatch):
    found = manifest.read(shipped)
    bundle = make(found, found.artifacts[0] if found.artifacts[0].path in NAMES else _listed(found), tmp_path / "b.zip")
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


def _listed(found):
    return next(artifact for artifact in found.artifacts if artifact.path in NAMES)


def test_a_golden_that_claims_more_images_than_answers_takes_no_memory(shipped, monkeypatch):
    bomb = np.zeros((2**20, 28, 28, 1), np.uint8)
    with np.load(SHIPPED / "golden.npz") as arrays:
        np.savez_compressed(shipped / "golden.npz", **{**arrays, "images": bomb})
    monkeypatch.setattr("toolkit.files.arrays._read_values", pytest.fail)
    with pytest.raises(
        ArtifactError, match=r"golden\.npz: .*'reference' is float32 \(500, 10\); allowed: float32 \(1048"
    ):
        golden.read(shipped / "golden.npz")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("images", np.zeros((500, 28, 28, 1), np.float32), "'images' is float32"),
        ("images", np.zeros((0, 28, 28, 1), np.uint8), "'reference' is|0 images"),
        ("labels", np.zeros(499, np.int64), r"'labels' is int64 \(499,\)"),
        ("labels", np.full(500, 10), "labels from 10 to 10 of 10 classes"),
        ("labels", np.full(500, -1), "labels from -1 to -1 of 10 classes"),
        ("reference", np.full((500, 10), np.nan, np.float32), "'reference' holds what is no number"),
        ("reference", np.zeros((500, 1), np.float32), "500 images of .* and 1 classes"),
        ("recorded/mlp-int8.tflite", np.zeros((499, 10), np.float32), "'recorded/mlp-int8.tflite' is float32"),
    ],
)
def test_a_golden_whose_arrays_do_not_fit_is_refused(shipped, name, values, message):
    with np.load(SHIPPED / "golden.npz") as arrays:
        np.savez_compressed(shipped / "golden.npz", **{**arrays, name: values})
    with pytest.raises(ArtifactError, match=rf"golden\.npz: cannot be read as a golden: .*({message})"):
        golden.read(shipped / "golden.npz")


@pytest.mark.parametrize("column", ["prediction", "kl"])
def test_rows_of_a_parity_record_that_make_no_sense_are_refused(shipped, column):
    with np.load(SHIPPED / "parity.npz") as arrays:
        tables = dict(arrays)
    name = next(name for name in tables if name != "reference")
    tables[name][column] = 10 if column == "prediction" else np.inf
    np.savez_compressed(shipped / "parity.npz", **tables)
    change(shipped / "parity.json", ("rows", "sha256"), sha256(shipped / "parity.npz"))
    with pytest.raises(ArtifactError, match=rf"parity\.npz: .* has a {column} "):
        read_parity(shipped)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"invoke_s": np.zeros(10), "invoke_lengths": np.full((2, 5), 1)}, "what is no latency"),
        ({"invoke_s": np.full(10, np.nan), "invoke_lengths": np.full((2, 5), 1)}, "what is no latency"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.full((2, 5), 2)}, "add up to 20, there are 10"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.full((2, 5), -1)}, "no lengths of blocks"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.zeros((0, 5), np.int64)}, "no lengths of blocks"),
        ({"invoke_s": np.ones(10), "invoke_lengths": np.ones(10)}, "'invoke_lengths' is float64"),
        ({}, "lacks invoke_s"),
    ],
)
def test_samples_that_are_none_are_refused(tmp_path, arrays, message):
    made.benchmark(tmp_path)
    np.savez_compressed(tmp_path / "s.npz", **arrays)
    with pytest.raises(ArtifactError, match=rf"s\.npz: cannot be read as the samples of a benchmark: .*{message}"):
        benchmark.read(tmp_path)


def test_more_blocks_than_a_bootstrap_can_hold_are_refused(tmp_path, monkeypatch):
    made.benchmark(tmp_path)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 1_000_000)
    with pytest.raises(ArtifactError, match=r"s\.npz: a bootstrap of it needs 1,600,000 bytes"):
        benchmark.read(tmp_path)


@pytest.mark.parametrize(
    ("progress", "message"),
    [
        ('{"history": [], "gradients": [], "best_epoch": 1, "best_value": NaN}', "its best epoch is 1 of 0"),
        ('{"history": [{"epoch": 1}], "best_epoch": 1, "best_value": 0}', r"\$\.history\[0\]: object missing"),
        ("[" * 100_000, "nested too deeply"),
        ("\xff", "utf-8"),
    ],
)
def test_a_state_whose_progress_makes_no_sense_is_refused(tmp_path, progress, message):
    np.savez(tmp_path / "state.npz", progress=np.frombuffer(progress.encode("latin-1"), np.uint8))
    with pytest.raises(RunError, match=rf"state\.npz: .*{message}"):
        checkpoint.load_progress(tmp_path / "state.npz")


def test_a_keras_file_whose_parts_are_too_large_is_refused_before_keras_sees_it(tmp_path, monkeypatch):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("config.json", b" " * (17 << 20))
    monkeypatch.setattr("toolkit.extras.load", pytest.fail)
    with pytest.raises(
        ArtifactError, match=r"bomb\.keras: cannot be read as a whole \.keras file: 'config\.json' claims 17,"
    ):
        keras.load_model(path)


@pytest.mark.parametrize("claimed", [(2**32 - 1,) * 3, (2**20, 28, 28)])
def test_an_idx_file_that_claims_what_it_cannot_hold_takes_no_memory(tmp_path, claimed):
    from toolkit.data import idx

    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", *claimed) + bytes(100)))
    with pytest.raises(
        DataError, match=r"x\.gz: its header claims [\d,]+ bytes, which \d+ compressed ones cannot hold"
    ):
        idx.read(path)


def test_an_image_that_claims_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    path = tmp_path / "x.bmp"
    Image.new("L", (8, 8)).save(path)
    whole = bytearray(path.read_bytes())
    whole[18:26] = struct.pack("<2i", 12_000, 12_000)
    path.write_bytes(whole)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", pytest.fail)
    from toolkit import images

    for read in (images.look, lambda path: images.read(path, channels=1)):
        with pytest.raises(DataError, match="12000×12000 pixels; allowed: 100,000,000 in all"):
            read(path)
    whole[18:26] = struct.pack("<2i", 20_000, 20_000)
    path.write_bytes(whole)
    with pytest.raises(DataError, match="cannot be read as an image: more than 100,000,000 pixels"):
        images.look(path)
    whole[18:26] = struct.pack("<2i", 5_000, 5_000)
    path.write_bytes(whole)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 9 * 10**8)
    with pytest.raises(DataError, match="5000×5000 pixels needs 600,000,000 bytes of memory"):
        images.look(path)


@pytest.mark.parametrize("name", ["mlp-int8.tflite", "mlp-int8.onnx"])
def test_an_input_that_memory_cannot_hold_is_refused_before_it_is_taken(shipped, monkeypatch, name):
    runtimes.open_session(shipped / name)
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 100)
    with pytest.raises(ArtifactError, match=rf"{name}: its input .* needs [\d,]+ bytes of memory; 100 are free"):
        runtimes.open_session(shipped / name)


CANVAS = (1, 7 * 2**20, 2**22, 1)  # 28 TiB in int8


@pytest.mark.parametrize(
    ("shape", "signature", "claims"),
    [
        (CANVAS, None, "30,786,325,577,728"),
        ((1, 28, 28, 1), (-1, *CANVAS[1:]), "30,786,325,577,728"),
        ((2**31 - 1, 28, 28, 1), None, "1,683,627,179,248"),
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
    assert "tells 10 classes apart, its manifest names 1" in capsys.readouterr().err


def test_an_unknown_file_given_to_export_is_called_what_it_is(tmp_path, capsys):
    (tmp_path / "model.h5").write_bytes(b"x")
    assert call(["export", str(tmp_path / "model.h5")]) == 2
    assert "model.h5: neither a run nor an export; allowed: a run, by name or folder, " in capsys.readouterr().err


def test_a_zip_file_of_twins_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "state.npz", "w") as archive_file, warnings.catch_warnings(action="ignore"):
        for _ in range(2):
            archive_file.writestr("progress.npy", b"")
    with pytest.raises(RunError, match=r"state\.npz: cannot be read as the state of a run"):
        checkpoint.load_progress(tmp_path / "state.npz")
