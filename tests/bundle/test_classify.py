"""The programs of bundles, one for each runtime and each kind of rows."""

import ast
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import SHIPPED
from toolkit import registry, runtimes
from toolkit.bench import settings
from toolkit.bundle import classify
from toolkit.bundle.rows.table import columns_of
from toolkit.errors import UsageError
from toolkit.runtimes import REFERENCE_RUNTIME


def test_every_runtime_that_runs_artifacts_by_itself_has_a_script_of_its_own():
    own = {runtimes.for_file(Path(f"artifact{suffix}")) for suffix in runtimes.suffixes()} - {REFERENCE_RUNTIME}
    scripts = {name: classify.script(name) for name in registry.names("toolkit.bundle.classify")}
    assert set(scripts) == own
    for script in scripts.values():
        assert "NotImplementedError" not in script
        compile(script, "classify.py", "exec")
        assert sum(line != "" for line in script.splitlines()) <= 68, "to be read at a glance on the device"
    with pytest.raises(UsageError, match="unknown runtime of a bundle 'keras'; allowed: litert, onnxruntime"):
        classify.script("keras")


@pytest.mark.parametrize("runtime", registry.names("toolkit.bench.settings"))
def test_the_script_with_each_setting_answers_as_without(runtime):
    path = SHIPPED / ("mlp-float16.tflite" if runtime == "litert" else "mlp-int8.onnx")
    rows = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)

    def answers(setting):
        program: dict[str, Any] = {"__name__": "classify"}
        exec(classify.script(runtime, setting=setting), program)
        return program["predict"](path, rows)

    usual = classify.script(runtime)
    for setting in settings.for_runtime(runtime):
        source = classify.script(runtime, setting=setting.name)
        assert (setting.line.replace("(path,", "(str(model),") in source) == (setting.name != "without IO binding")
        assert (source == usual) == (setting.name == "without IO binding")
        np.testing.assert_allclose(answers(setting.name), answers(None), atol=1e-4)


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_in_the_encoding_that_its_beginning_tells(tmp_path, encoding):
    path = tmp_path / "asked.csv"
    path.write_bytes("\r\n\ngröße,b\n1,2\n3,4\n".encode(encoding))
    np.testing.assert_array_equal(columns_of(path, ["b", "größe"]), [[2, 1], [4, 3]])


def test_names_in_quotes_separate_no_columns(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('"length, at most, in cm";"width, in cm"\n1;2\n')
    np.testing.assert_array_equal(columns_of(path, ["width, in cm", "length, at most, in cm"]), [[2, 1]])
