import os
import subprocess
import sys

import pytest

from toolkit import extras, registry
from toolkit.errors import MissingExtraError, UsageError


def test_names_are_the_files_of_the_folder():
    assert registry.names("toolkit.data") == ("fashion-mnist", "folder", "idx", "mnist", "npz", "sample")
    assert registry.names("toolkit.runtimes") == ("keras", "litert", "onnxruntime")


def test_an_unknown_member_names_the_allowed_ones():
    with pytest.raises(UsageError, match="unknown model 'resnet'; allowed: cnn, mlp"):
        registry.member("toolkit.models", "resnet", kind="model")


def test_the_shared_module_is_no_member():
    with pytest.raises(UsageError):
        registry.member("toolkit.runtimes", "base", kind="runtime")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ai_edge_litert is not installed; .*\[litert\]'"):
        extras.load("ai_edge_litert.interpreter")


def test_native_and_buffered_output_goes_to_the_log(tmp_path):
    log = tmp_path / "log"
    script = f"""
import os
from pathlib import Path
from toolkit.extras import streams_to
print("before")
with streams_to(Path({str(log)!r})):
    print("python")
    os.write(2, b"native\\n")
print("after")
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert sorted(log.read_text().split()) == ["native", "python"]
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")
