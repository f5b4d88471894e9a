"""Packages of the extras are imported late, and without what slows that down."""

import gc
import sys

import pytest

from toolkit import extras
from toolkit.errors import MissingExtraError


def test_no_garbage_is_looked_for_while_a_package_is_imported(tmp_path, monkeypatch):
    (tmp_path / "tells_of_its_import.py").write_text("import gc\nCOLLECTED = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert extras.load("tells_of_its_import").COLLECTED is False
    assert gc.isenabled()


@pytest.mark.parametrize("is_program", [True, False])
def test_a_program_alone_keeps_what_it_has_loaded_for_good(tmp_path, monkeypatch, is_program):
    (tmp_path / "makes_a_list.py").write_text("MADE = [[]]\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(extras, "is_program", is_program)
    monkeypatch.delitem(sys.modules, "makes_a_list", raising=False)
    before = gc.get_freeze_count()
    made = extras.load("makes_a_list").MADE
    assert (gc.get_freeze_count() > before) == is_program
    assert any(one is made for one in gc.get_objects()) != is_program
    assert extras.load("makes_a_list").MADE is made


def test_a_program_keeps_also_what_an_interrupted_import_has_made(tmp_path, monkeypatch):
    (tmp_path / "interrupted.py").write_text("MADE = [[]]\nraise KeyboardInterrupt\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(extras, "is_program", True)
    before = gc.get_freeze_count()
    with pytest.raises(KeyboardInterrupt):
        extras.load("interrupted")
    assert gc.get_freeze_count() > before


def test_every_module_of_a_package_names_its_extra(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"tensorflow is not installed; .* 'edge-model-toolkit\[train\]'"):
        extras.load("tensorflow.core.protobuf.saved_model_pb2")
