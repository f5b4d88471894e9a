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


def test_native_output_goes_to_the_log(tmp_path, capfd):
    import os

    log = tmp_path / "log"
    with extras.streams_to(log):
        os.write(1, b"chatter\n")
        os.write(2, b"more\n")
    os.write(2, b"seen\n")
    assert log.read_text() == "chatter\nmore\n"
    assert capfd.readouterr() == ("", "seen\n")
