"""The C array: compiled with gcc, its bytes are those of the artifact, and its header says what the manifest says."""

import re
import shutil
import struct
import subprocess

import numpy as np
import pytest

from toolkit import golden, manifest, runtimes
from toolkit.convention import Convention
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import c, plan, tflite
from toolkit.export.sources import resolve
from toolkit.files import sha256
from toolkit.parity.verify import VerifyOptions, verify
from toolkit.runtimes import tflm

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
# What a firmware would do with the header, and the bytes on stdout.
MAIN = """
#include <stdint.h>
#include <stdio.h>
#include "cnn-int8.h"

int main(void) {
    const int input[] = CNN_INT8_INPUT_SHAPE, output[] = CNN_INT8_OUTPUT_SHAPE;
    const float scales[] = {CNN_INT8_INPUT_SCALE, CNN_INT8_OUTPUT_SCALE};
    const int numbers[] = {
        (int)((uintptr_t)cnn_int8_model % CNN_INT8_ALIGNMENT_BYTES), (int)cnn_int8_model_bytes,
        CNN_INT8_INPUT_ZERO_POINT, CNN_INT8_OUTPUT_ZERO_POINT, CNN_INT8_INPUT_BYTES, CNN_INT8_OUTPUT_BYTES,
        input[0], input[1], input[2], input[3], output[0], output[1], CNN_INT8_ARENA_HINT_BYTES,
    };
    fwrite(numbers, sizeof numbers, 1, stdout);
    fwrite(scales, sizeof scales, 1, stdout);
    fwrite(cnn_int8_model, 1, cnn_int8_model_bytes, stdout);
    return 0;
}
"""
NUMBERS = struct.Struct("13i2f")


@pytest.fixture(scope="module")
def exported_c(tmp_path_factory, trained_folder, tiny):
    folder = tmp_path_factory.mktemp("c") / "cnn"
    result = export(resolve(str(trained_folder)), tiny, folder, ExportOptions(plan(["c"], []), 50), warn=pytest.fail)
    assert result.failures == {}
    assert [file.path for file in result.made] == ["cnn-int8.tflite", "cnn-int8.c", "cnn-int8.h"]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("language", [("gcc", "-std=c11"), ("gcc", "-std=c17", "-Os"), ("g++", "-x", "c++")])
def test_a_compiler_sees_the_bytes_of_the_artifact_aligned(exported_c, tmp_path, language):
    if shutil.which(language[0]) is None:
        pytest.skip(f"{language[0]} is not installed")
    (tmp_path / "main.c").write_text(MAIN)
    sources = (str(tmp_path / "main.c"), str(exported_c / "cnn-int8.c"))
    command = [*language, *WARNINGS, f"-I{exported_c}", *sources, "-o", str(tmp_path / "main")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    printed = subprocess.run([tmp_path / "main"], check=True, capture_output=True).stdout
    *numbers, input_scale, output_scale = NUMBERS.unpack_from(printed)
    model = (exported_c / "cnn-int8.tflite").read_bytes()
    assert printed[NUMBERS.size :] == model
    (artifact,) = manifest.read(exported_c).artifacts
    given, returned = artifact.inputs[0], artifact.outputs[0]
    assert numbers[:4] == [0, len(model), given.zero_point, returned.zero_point]
    assert numbers[4:12] == [64, 3, 1, 8, 8, 1, 1, 3]
    assert (input_scale, output_scale) == (np.float32(given.scale), np.float32(returned.scale))


@pytest.mark.slow
def test_the_arena_hint_is_what_is_alive_at_the_widest_operator(exported_c):
    """8×8×32 of the first convolution and 4×4×32 of its pooling; what the first reads, 8×8, is less than that."""
    text = (exported_c / "cnn-int8.h").read_text()
    assert re.search(r"ARENA_HINT_BYTES (\d+)", text)[1] == str(8 * 8 * 32 + 4 * 4 * 32)
    assert "Operators for the resolver: CONV_2D, FULLY_CONNECTED, MAX_POOL_2D, RESHAPE, SOFTMAX" in text


@pytest.mark.slow
def test_the_header_names_the_oldest_tflm_and_what_the_newest_takes(exported_c):
    """Dense layers of today's converter have a scale for each channel."""
    text = (exported_c / "cnn-int8.h").read_text()
    assert " * Needs TFLM of October 2024 or later: FULLY_CONNECTED has a scale for each channel. TFLM" in text
    if runtimes.installed("tflm"):
        took = tflm.TFLMSession(exported_c / "cnn-int8.tflite").arena_bytes
        assert f" * Measured where this was written: {took} bytes in all, with tflite-micro " in text


@pytest.mark.skipif(not runtimes.installed("tflm"), reason="tflite-micro is not installed")
def test_a_file_that_tflm_cannot_run_is_written_all_the_same(tmp_path):
    (tmp_path / "odd.tflite").write_bytes(b"no model")
    (version,) = runtimes.versions("tflm").values()
    assert (
        c._measured(tmp_path / "odd.tflite") == f" * tflite-micro {version} could not run it where this was written.\n"
    )


@pytest.mark.slow
def test_without_tflm_and_scales_of_channels_the_header_says_neither(exported_c, tmp_path, monkeypatch):
    monkeypatch.setattr(c, "_is_product_by_channel", lambda *_: False)
    monkeypatch.setattr(runtimes, "installed", lambda _: False)
    _, header = c.derive(exported_c / "cnn-int8.tflite", tmp_path / "cnn-int8.c", Convention())
    text = header.read_text()
    assert "TFLM of" not in text
    assert "Measured" not in text
    assert "SOFTMAX\n *\n * CNN_INT8_ARENA_HINT_BYTES" in text


def test_a_tensor_that_is_read_again_later_stays_in_the_arena():
    """0 → 1 → 2, then 0 and 2 → 3, with a constant 4: the sizes round up to 112, 32, 48 and 16."""
    operators = [([0, 4], [1]), ([1, -1], [2]), ([0, 2], [3])]
    assert c.least_arena_bytes([100, 20, 33, 16, 0], operators, inputs=[0], outputs=[3]) == 112 + 32 + 48
    assert c.least_arena_bytes([100], [], inputs=[0], outputs=[0]) == 0


@pytest.mark.parametrize(
    ("stem", "name"), [("cnn-int8", "cnn_int8"), ("3d net-int8", "model_3d_net_int8"), ("é-int8", "__int8")]
)
def test_every_name_becomes_an_identifier(stem, name):
    assert c.identifier(stem) == name


@pytest.mark.slow
def test_verify_runs_the_artifact_and_holds_the_c_files_against_their_digests(exported_c, tmp_path):
    folder = shutil.copytree(exported_c, tmp_path / "cnn")
    found = manifest.read(folder)
    assert [(entry.path, entry.made_from) for entry in found.derived] == [
        ("cnn-int8.c", "cnn-int8.tflite"),
        ("cnn-int8.h", "cnn-int8.tflite"),
    ]
    assert set(golden.read(folder / "golden.npz").recorded) == {"cnn-int8.tflite"}

    def judged():
        parts = verify(found, found.artifacts, VerifyOptions(by_golden=True), warn=pytest.fail)
        return [(comparison.verdict, comparison.problem) for comparison in parts.comparisons]

    assert judged() == [("pass", None)]
    text = (folder / "cnn-int8.c").read_text()
    (folder / "cnn-int8.c").write_text(text.replace("0x00", "0x01", 1))
    ((verdict, problem),) = judged()
    assert (verdict, problem.check) == ("fail", "digest")
    assert "cnn-int8.c: changed since it was exported" in problem.text


@pytest.mark.slow
def test_c_files_stay_listed_as_long_as_their_artifact_is_the_same(exported_c, tmp_path, trained_folder, tiny):
    folder = shutil.copytree(exported_c, tmp_path / "cnn")
    source = resolve(str(trained_folder))
    export(source, tiny, folder, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    found = manifest.read(folder)
    found.require(*found.artifacts, *found.derived)
    assert [entry.path for entry in found.derived] == ["cnn-int8.c", "cnn-int8.h"]
    result = export(source, tiny, folder, ExportOptions(plan(["onnx"], ["float32"]), 20), warn=pytest.fail)
    assert manifest.read(folder).derived == ()
    assert [path.name for path in result.unlisted] == ["cnn-int8.c", "cnn-int8.tflite"]


@pytest.mark.slow
def test_without_its_tflite_there_is_no_c(exported_c, tmp_path, trained_folder, tiny, monkeypatch):
    folder = shutil.copytree(exported_c, tmp_path / "cnn")
    before = {path.name: sha256(path) for path in folder.glob("cnn-int8.*")}
    monkeypatch.setattr(tflite, "convert", lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
    options = ExportOptions(plan(["c", "onnx"], []), 50)
    result = export(resolve(str(trained_folder)), tiny, folder, options, warn=pytest.fail)
    assert result.failures == {
        "cnn-int8.tflite": "the converter to tflite gave up, export.log says why; leave this tflite out by --format or "
        "--quantize",
        "cnn-int8.c": "it is made from the int8 tflite, which could not be exported",
    }
    assert {path.name: sha256(path) for path in folder.glob("cnn-int8.*")} == {
        **before,
        "cnn-int8.onnx": sha256(folder / "cnn-int8.onnx"),
    }
    assert len(manifest.read(folder).derived) == 2
