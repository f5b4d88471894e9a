"""Bundles of the tiny CNN: what they hold, that numpy and the runtime are enough to run them, and what is refused."""

import ast
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import SHIPPED
from toolkit import archive, golden, host, manifest, registry, runtimes
from toolkit.bench import settings
from toolkit.bundle import classify
from toolkit.bundle.check import check
from toolkit.bundle.choose import recommendation, recommended, resolve
from toolkit.bundle.make import make
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import sha256
from toolkit.parity.verify import VerifyOptions, verify
from toolkit.runtimes import REFERENCE_RUNTIME

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


def artifact(folder, name):
    found = manifest.read(folder)
    return found, next(entry for entry in found.artifacts if entry.path == name)


def bundle_of(folder, name, path):
    found, chosen = artifact(folder, name)
    return make(found, chosen, path)


def unpacked(bundle, folder):
    assert archive.unpack(bundle.path, folder) == []
    return folder / bundle.name


@pytest.fixture
def bundle(exported_once, tmp_path):
    return bundle_of(exported_once, "cnn-int8.tflite", tmp_path / "b.zip")


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


def test_the_digests_of_a_bundle_are_read_by_sha256sum(bundle, tmp_path):
    folder = unpacked(bundle, tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)


def test_two_bundles_of_the_same_are_equal_byte_for_byte(bundle, exported, tmp_path):
    for number, path in enumerate(sorted(exported.iterdir(), reverse=True)):
        os.utime(path, (number, number))
        path.chmod(0o600)
    again = bundle_of(exported, "cnn-int8.tflite", tmp_path / "elsewhere" / "other-name.zip")
    assert again.path.read_bytes() == bundle.path.read_bytes()


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


def test_every_runtime_that_runs_artifacts_by_itself_has_a_script_of_its_own():
    own = {runtimes.for_file(Path(f"artifact{suffix}")) for suffix in runtimes.suffixes()} - {REFERENCE_RUNTIME}
    scripts = {name: classify.script(name) for name in registry.names("toolkit.bundle.classify")}
    assert set(scripts) == own
    for script in scripts.values():
        assert "NotImplementedError" not in script
        compile(script, "classify.py", "exec")
        assert sum(line != "" for line in script.splitlines()) <= 66, "to be read at a glance on the device"
    with pytest.raises(UsageError, match="unknown runtime of a bundle 'keras'; allowed: litert, onnxruntime"):
        classify.script("keras")


def test_what_is_not_the_exported_file_is_not_bundled(exported, tmp_path):
    found, chosen = artifact(exported, "cnn-int8.tflite")
    (exported / "cnn-int8.tflite").write_bytes(b"other")
    with pytest.raises(ArtifactError, match="changed since it was exported"):
        make(found, chosen, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_sound_bundle_passes(bundle):
    checked = check(bundle.path)
    assert checked.problems == ()
    assert checked.digests == bundle.digests


def repack(bundle, change):
    """Write the bundle again with other entries: ``change`` edits {name: content}."""
    with zipfile.ZipFile(bundle.path) as packed:
        entries = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
    change(entries)
    archive.pack(bundle.path, {f"{bundle.name}/{name}": content for name, content in entries.items()})


def resummed(entries, name, content):
    """Change a file and its line of SHA256SUMS alike."""
    old, new = (hashlib.sha256(one).hexdigest().encode() for one in (entries[name], content))
    entries |= {name: content, "SHA256SUMS": entries["SHA256SUMS"].replace(old, new)}


CHANGES = {
    "changed": (
        lambda files: files.update({"classify.py": b"print('hello')\n"}),
        "classify.py: changed, its SHA-256 is not the one of SHA256SUMS",
    ),
    "added": (lambda files: files.update({"sub/extra.py": b""}), "sub/extra.py: not listed in SHA256SUMS"),
    "removed": (lambda files: files.pop("classify.py"), "classify.py: listed in SHA256SUMS but missing"),
    "another artifact": (
        lambda files: resummed(files, "cnn-int8.tflite", b"other"),
        "cnn-int8.tflite: changed since it was exported (its SHA-256 is not the manifest's); export the model again",
    ),
    "no manifest": (
        lambda files: resummed(files, "manifest.json", b"{}"),
        "manifest.json: has schema None, this toolkit reads 1; export again",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_bundle_fails_and_says_what_changed(bundle, case):
    change, problem = CHANGES[case]
    repack(bundle, change)
    assert check(bundle.path).problems == (problem,)


def test_a_bundle_with_a_changed_byte_does_not_pass(bundle):
    """Of the files, of the headers, of the directory, and behind the end."""
    content = bundle.path.read_bytes()
    positions = [4, 10, 14, content.index(b"PK\3\4", 4) + 12, content.index(b"TFL3"), content.rindex(b"PK\1\2") + 4]
    attempts = [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in (*positions, len(content) - 3)]
    for attempt in (*attempts, content + b"\0", b"#!/bin/sh\n" + content):
        bundle.path.write_bytes(attempt)
        try:
            assert check(bundle.path).problems
        except ArtifactError:
            continue


@pytest.mark.parametrize("content", [b"", b"not a bundle", b"PK\5\6" + bytes(18)])
def test_what_is_no_bundle_is_refused(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"x\.zip: (not a (whole archive|bundle)|an empty file)"):
        check(tmp_path / "x.zip")


def test_a_hostile_bundle_leaves_no_file_behind(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with zipfile.ZipFile(bundle.path, "a") as packed:
        packed.writestr(f"{bundle.name}/../../../escaped", b"")
    with pytest.raises(ArtifactError, match="refused, nothing was unpacked"):
        check(bundle.path)
    assert [path.name for path in tmp_path.rglob("*escaped*")] == []


def test_a_model_is_given_by_folder_name_or_artifact(exported):
    for given in (str(exported), "cnn"):
        found, choice = resolve(given, exported.parent)
        assert (found.folder, choice) == (exported, None)
    _, choice = resolve(str(exported / "cnn-int8.onnx"), exported.parent)
    assert choice.artifact.path == "cnn-int8.onnx"
    with pytest.raises(ArtifactError, match=r"cnn\.keras: not an artifact of .*; allowed: cnn-float32\.onnx, "):
        resolve(str(exported / "cnn.keras"), exported.parent)
    with pytest.raises(ArtifactError, match=r"no model of .*exported/ \(there: cnn\)"):
        resolve("resnet", exported.parent)


@pytest.fixture
def record(exported, tmp_path):
    """Write a record of a benchmark on this machine; keyword arguments change it."""

    def write(name, recommends, *, artifacts=None, **changes):
        found = manifest.read(exported)
        listed = artifacts or [entry.path for entry in found.artifacts]
        digests = {entry.path: entry.sha256 for entry in found.artifacts}
        document = {
            "host": {**host.describe().to_json(), "emulated": False},
            "record": f"benchmarks/{name}",
            "interrupted": False,
            "failures": {},
            "results": [{"artifact": f"there/{path}", "sha256": digests.get(path)} for path in listed],
            "recommendations": [{"artifact": f"there/{recommends}", "why": "fastest", "fits": True}],
            **changes,
        }
        folder = tmp_path / "benchmarks" / name
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(document))
        return document

    return write


def test_the_newest_benchmark_of_these_artifacts_here_is_asked(record, exported, tmp_path):
    found = manifest.read(exported)
    assert recommended(found, tmp_path / "benchmarks") is None
    record("1", "cnn-float32.onnx")
    record("2", "cnn-int8.tflite")
    elsewhere = {**host.describe().to_json(), "cpu": "another"}
    record("3", "cnn-float16.tflite", host=elsewhere)
    record("4", "cnn-float16.tflite", interrupted=True)
    record("5", "cnn-float16.tflite", artifacts=["cnn-float16.tflite"])
    record("6", "cnn-float16.tflite", results=[])
    (tmp_path / "benchmarks" / "7").mkdir()
    (tmp_path / "benchmarks" / "7" / "record.json").write_text('{"host": []}')
    choice = recommended(found, tmp_path / "benchmarks")
    assert (choice.artifact.path, choice.why, choice.record) == ("cnn-int8.tflite", "fastest", "benchmarks/2")
    record("8", "cnn-float32.onnx", failures={"there/cnn-int8.tflite": "crashed"},
           artifacts=[entry.path for entry in found.artifacts if entry.path != "cnn-int8.tflite"])  # fmt: skip
    assert recommended(found, tmp_path / "benchmarks").record == "benchmarks/8"


def test_the_setting_that_won_there_is_taken_if_it_is_known(record, exported):
    found = manifest.read(exported)
    (onnx,) = (entry for entry in found.artifacts if entry.path == "cnn-int8.onnx")
    result = {"artifact": "there/cnn-int8.onnx", "sha256": onnx.sha256}
    tuned = {"without arena": "without arena", "import os": None, None: None}
    for number, (best, taken) in enumerate(tuned.items()):
        document = record(str(number), onnx.path, results=[{**result, "tuned": {"best": best}}])
        assert recommendation(document, found).setting == taken
    assert recommendation(record("none", onnx.path, results=[result]), found).setting is None


@pytest.mark.parametrize("runtime", registry.names("toolkit.bench.settings"))
def test_the_script_with_each_setting_answers_as_without(runtime):
    path = SHIPPED / ("mlp-float16.tflite" if runtime == "litert" else "mlp-int8.onnx")
    rows = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)

    def answers(setting):
        program: dict[str, Any] = {"__name__": "classify"}
        exec(classify.script(runtime, setting=setting), program)
        return program["predict"](path, rows)

    usual = classify.script(runtime)
    for setting in settings.of(runtime):
        source = classify.script(runtime, setting=setting.name)
        assert (setting.line.replace("(path,", "(str(model),") in source) == (setting.name != "without IO binding")
        assert (source == usual) == (setting.name == "without IO binding")
        np.testing.assert_allclose(answers(setting.name), answers(None), atol=1e-4)


def test_a_benchmark_of_other_weights_is_not_asked(record, exported, tmp_path):
    record("1", "cnn-int8.tflite")
    found = manifest.read(exported)
    newer = tuple(replace(entry, sha256="0" * 64) for entry in found.artifacts)
    assert recommended(replace(found, artifacts=newer), tmp_path / "benchmarks") is None


def test_where_nothing_is_recommended_the_reason_is_said(record, exported):
    found = manifest.read(exported)
    emulated = {**host.describe().to_json(), "emulated": True}
    document = record("1", "cnn-int8.tflite", host=emulated, recommendations=[])
    with pytest.raises(ArtifactError, match=r"recommends nothing of .* \(under emulation no latency is given\)"):
        recommendation(document, found)
    misses = [{"artifact": "there/cnn-int8.tflite", "why": "", "fits": False}]
    with pytest.raises(ArtifactError, match=r"\(nothing fits or ran\); name an artifact"):
        recommendation(record("2", "cnn-int8.tflite", recommendations=misses), found)


def test_a_bundle_is_one_file_here_named_after_its_artifact(exported, here):
    made = make(*artifact(exported, "cnn-int8.onnx"))
    assert made.path == Path("cnn-int8-onnx.zip")
    assert [path.name for path in here.iterdir()] == ["cnn-int8-onnx.zip"]


@pytest.mark.parametrize("rows", registry.names("toolkit.bundle.rows"))
@pytest.mark.parametrize("runtime", registry.names("toolkit.bundle.classify"))
def test_the_program_for_rows_of_values_needs_no_more_than_that_for_images(runtime, rows):
    program = ast.parse(classify.script(runtime, rows))
    names = [node.name for node in program.body if isinstance(node, ast.FunctionDef)]
    assert (names[-2:], len(names)) == (["read", "predict"], len(set(names)))
    imported = {
        part.partition(".")[0]
        for node in ast.walk(program)
        for part in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names <= {"numpy", "ai_edge_litert", "onnxruntime"}
